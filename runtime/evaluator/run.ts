import { writeFile } from 'node:fs/promises';
import { encodeReport, type Report } from '@slipway/crds';
import { Failure } from '../artifact/failure.ts';
import { exitCodeOf, type Surroundings, terminationLogOf } from '../container/surroundings.ts';
import { publicationOf, verificationOf } from './config.ts';
import { publish } from './publish.ts';
import { verify } from './verify.ts';

type Command = (around: Surroundings) => Promise<Report>;

const COMMANDS: Readonly<Record<string, Command>> = {
  publish: ({ env, now, say }) => publish({ ...publicationOf(env), now: now(), say }),
  verify: ({ env, say }) => verify({ ...verificationOf(env), say }),
};

/** Runs one command and returns the exit code. Its result, or the named cause of its failure, is the termination message. */
export const runEvaluator = (command: string | undefined, around: Surroundings): Promise<number> =>
  exitCodeOf(around, async () => {
    const run = COMMANDS[command ?? ''];
    if (run === undefined) {
      throw new Failure('ConfigurationInvalid', `Say what to do: ${Object.keys(COMMANDS).join(' or ')}.`);
    }
    await writeReport(terminationLogOf(around.env), await run(around));
  });

async function writeReport(terminationLog: string, report: Report): Promise<void> {
  const message = encodeReport(report);
  if (message === undefined) {
    throw new Failure('ReportTooLarge', 'The report does not fit a termination message; use fewer gates or tensors.');
  }
  await writeFile(terminationLog, message);
}

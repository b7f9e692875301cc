import { writeFile } from 'node:fs/promises';
import { encodeReport, type Report } from '@slipway/crds';
import { ENV } from '@slipway/crds/contract';
import { Failure, TERMINATION_LOG, writeTermination } from '../artifact/failure.ts';
import type { Environment } from '../container/environment.ts';
import { publicationOf, verificationOf } from './config.ts';
import { publish } from './publish.ts';
import { verify } from './verify.ts';

export interface Surroundings {
  readonly env: Environment;
  readonly now: () => number;
  readonly say: (line: string) => void;
  readonly complain: (line: string) => void;
}

/** EX_USAGE of sysexits.h: no restart cures it. */
const EXIT_USAGE = 64;

type Command = (around: Surroundings) => Promise<Report>;

const COMMANDS: Readonly<Record<string, Command>> = {
  publish: ({ env, now, say }) => publish({ ...publicationOf(env), now: now(), say }),
  verify: ({ env, say }) => verify({ ...verificationOf(env), say }),
};

/**
 * Runs one command and returns the exit code. Its result, or the named cause of its failure, is the termination
 * message. An error without a name is a bug and is thrown on.
 */
export async function runEvaluator(command: string | undefined, around: Surroundings): Promise<number> {
  const terminationLog = around.env[ENV.terminationLog] ?? TERMINATION_LOG;
  try {
    const run = COMMANDS[command ?? ''];
    if (run === undefined) {
      throw new Failure('ConfigurationInvalid', `Say what to do: ${Object.keys(COMMANDS).join(' or ')}.`);
    }
    await writeReport(terminationLog, await run(around));
    return 0;
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    around.complain(error.message);
    await writeTermination(terminationLog, error);
    return error.reason === 'ConfigurationInvalid' ? EXIT_USAGE : 1;
  }
}

async function writeReport(path: string, report: Report): Promise<void> {
  const message = encodeReport(report);
  if (message === undefined) {
    throw new Failure('ReportTooLarge', 'The report does not fit a termination message; use fewer gates or tensors.');
  }
  await writeFile(path, message);
}

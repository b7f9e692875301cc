import { writeFile } from 'node:fs/promises';
import { encodeReport, type Report } from '@slipway/crds';
import { Failure } from '../artifact/failure.ts';
import { storeContextOf } from '../artifact/stores/storeContextOf.ts';
import { exitCodeOf, type Surroundings, terminationLogOf } from '../container/surroundings.ts';
import { fetchOf, publicationOf, removalOf, verificationOf } from './config.ts';
import { fetchServed } from './fetchServed.ts';
import { removeArtifact } from './removeArtifact.ts';
import { fitted } from './report/fit.ts';

/** What a command has to say at its end, if it says anything. */
type Command = (around: Surroundings) => Promise<Report | undefined>;

/** Each is loaded when it is asked for: who fetches a model into a server's pod waits for no verifier. */
const COMMANDS: Readonly<Record<string, Command>> = {
  publish: async (around) => {
    const { publish } = await import('./publish.ts');
    return publish({ ...publicationOf(around.env), context: storeContextOf(around) });
  },
  verify: async (around) => {
    const { verify } = await import('./verify.ts');
    const order = { ...verificationOf(around.env), context: storeContextOf(around), elapsed: () => performance.now() };
    return fitted(await verify(order));
  },
  fetch: (around) => fetchServed(fetchOf(around.env), storeContextOf(around)),
  remove: (around) => removeArtifact(removalOf(around.env), storeContextOf(around)),
};

/** Runs one command and returns the exit code. Its result, or the named cause of its failure, is the termination message. */
export const runEvaluator = (command: string | undefined, around: Surroundings): Promise<number> =>
  exitCodeOf(around, async () => {
    const run = COMMANDS[command ?? ''];
    if (run === undefined) {
      throw new Failure('ConfigurationInvalid', `Say what to do: ${Object.keys(COMMANDS).join(' or ')}.`);
    }
    const report = await run(around);
    if (report !== undefined) await writeReport(terminationLogOf(around.env), report);
  });

async function writeReport(terminationLog: string, report: Report): Promise<void> {
  const message = encodeReport(report);
  if (message === undefined) {
    throw new Failure('ReportTooLarge', 'The report does not fit a termination message; use fewer gates or tensors.');
  }
  await writeFile(terminationLog, message);
}

import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DIRECTORIES, ENV } from '@slipway/crds/contract';
import type { Environment } from '../container/environment.ts';
import { exitCodeOf, type Surroundings } from '../container/surroundings.ts';
import { chooseBackend } from './backend.ts';
import { readCodeBook } from './flights/codeBook.ts';
import { type FlightFiles, flightFiles } from './flights/dataFiles.ts';
import type { Keeping } from './flights/fit.ts';
import { writeOutputs } from './flights/outputs.ts';
import { readFlights } from './flights/table.ts';
import { train } from './flights/train.ts';
import { type Parameters, readParameters } from './parameters.ts';
import { progressWriter } from './progress.ts';
import { Stopped, type StopRequest } from './stopRequest.ts';

/** Trains one version and returns the exit code. */
export async function runTrainer(around: Surroundings, stop: StopRequest): Promise<number> {
  try {
    return await exitCodeOf(around, async () => trainOnce(around, stop, await readParameters(around.env)));
  } catch (error) {
    if (!(error instanceof Stopped)) throw error;
    around.complain(error.message);
    return EXIT_TERMINATED;
  }
}

/** As a process that SIGTERM ended: 128 + 15. */
const EXIT_TERMINATED = 143;

/** Checkpoints are kept where the environment names a folder for them. */
function keepingOf(env: Environment, stop: StopRequest, say: (line: string) => void): Keeping | undefined {
  const folder = env[ENV.checkpointDir];
  return folder === undefined ? undefined : { folder, resumeFrom: env[ENV.resumeFrom], stop, say };
}

async function trainOnce({ env, now, say }: Surroundings, stop: StopRequest, parameters: Parameters): Promise<void> {
  const startedAt = now();
  const tell = (line: string) => say(`${((now() - startedAt) / 1000).toFixed(1)}s ${line}`);
  const backend = await chooseBackend();
  tell(backend.reason);
  const files = flightFiles(env[ENV.inputDir]);
  const book = await readCodeBook(files.routes);
  const table = await readFlights(files.flights, book);
  tell(`read ${table.rows} flights and ${book.airports.length - 1} airports`);
  const report = progressWriter(env[ENV.statusDir] ?? DIRECTORIES.status, now);
  const keep = keepingOf(env, stop, tell);
  const training = () => train({ backend, parameters, report, keep }, table, book);
  const trained = await (keep === undefined ? training() : stop.during(training));
  tell(`trained on ${trained.training.rows.length} flights; the export differs by ${trained.largestDifference}`);
  const metrics = await writeOutputs(outputDirectories(env), trained, await describe(files), parameters);
  tell(`held out ${trained.heldOut.rows.length} flights: ${JSON.stringify(metrics)}`);
}

function outputDirectories(env: Environment) {
  const output = env[ENV.outputDir] ?? DIRECTORIES.output;
  return { output, model: env[ENV.modelDir] ?? join(output, 'model') };
}

async function describe({ flights }: FlightFiles) {
  const digest = createHash('sha256')
    .update(await readFile(flights))
    .digest('hex');
  return { name: 'vega-datasets flights-3m.parquet', digest: `sha256:${digest}` };
}

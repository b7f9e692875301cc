import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DIRECTORIES, ENV } from '@slipway/crds/contract';
import { Failure, TERMINATION_LOG, writeTermination } from '../artifact/failure.ts';
import type { Environment } from '../container/environment.ts';
import { chooseBackend } from './backend.ts';
import { readCodeBook } from './flights/codeBook.ts';
import { type FlightFiles, flightFiles } from './flights/dataFiles.ts';
import { writeOutputs } from './flights/outputs.ts';
import { readFlights } from './flights/table.ts';
import { train } from './flights/train.ts';
import { type Parameters, readParameters } from './parameters.ts';
import { progressWriter } from './progress.ts';

export interface Surroundings {
  readonly env: Environment;
  readonly now: () => number;
  readonly say: (line: string) => void;
  readonly complain: (line: string) => void;
}

/** A wrong parameter is wrong again on every restart; 64 is EX_USAGE of sysexits.h. */
export const EXIT_USAGE = 64;

/** Trains one version and returns the exit code. A named failure is said on stderr and in the termination message. */
export async function runTrainer(around: Surroundings): Promise<number> {
  try {
    await trainOnce(around, await readParameters(around.env));
    return 0;
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    around.complain(error.message);
    await writeTermination(around.env[ENV.terminationLog] ?? TERMINATION_LOG, error);
    return error.reason === 'ConfigurationInvalid' ? EXIT_USAGE : 1;
  }
}

async function trainOnce({ env, now, say }: Surroundings, parameters: Parameters): Promise<void> {
  const startedAt = now();
  const tell = (line: string) => say(`${((now() - startedAt) / 1000).toFixed(1)}s ${line}`);
  const backend = await chooseBackend();
  tell(backend.reason);
  const files = flightFiles(env[ENV.inputDir]);
  const book = await readCodeBook(files.routes);
  const table = await readFlights(files.flights, book);
  tell(`read ${table.rows} flights and ${book.airports.length - 1} airports`);
  const report = progressWriter(env[ENV.statusDir] ?? DIRECTORIES.status, now);
  const trained = await train({ backend, parameters, report }, table, book);
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

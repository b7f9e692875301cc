import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DIRECTORIES, ENV } from '@slipway/crds/contract';
import type { Environment } from '../container/environment.ts';
import { exitCodeOf, type Surroundings } from '../container/surroundings.ts';
import { chooseBackend } from './backend.ts';
import { readCodeBook } from './flights/codeBook.ts';
import { type FlightFiles, flightFiles } from './flights/dataFiles.ts';
import { writeOutputs } from './flights/outputs.ts';
import { readFlights } from './flights/table.ts';
import { train } from './flights/train.ts';
import { type Parameters, readParameters } from './parameters.ts';
import { progressWriter } from './progress.ts';

/** Trains one version and returns the exit code. */
export const runTrainer = (around: Surroundings): Promise<number> =>
  exitCodeOf(around, async () => trainOnce(around, await readParameters(around.env)));

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

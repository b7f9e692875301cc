import { randomUUID } from 'node:crypto';
import { mkdir, readdir, readFile, rename, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { contentKeyOf } from '@slipway/hack/local-cluster/contentKey.ts';
import { cacheDirectory, repositoryRoot } from '@slipway/hack/local-cluster/paths.ts';
import { type FlightFiles, flightFiles } from '@slipway/runtime/trainer/flights/dataFiles.ts';
import { type HeldOutFlight, type HeldOutOptions, heldOutFlights } from '@slipway/runtime/trainer/flights/heldOut.ts';
import type { Row } from './probe.ts';

type Selection = NonNullable<HeldOutOptions['selection']>;

const RECIPE = join(repositoryRoot, 'runtime', 'trainer', 'flights');

/** The first rows drawn are the same however many are drawn, so these answer whoever asks for fewer. */
const KEPT = 20_000;

/** Where rows are kept, and who reads the flights. */
export interface Surroundings {
  readonly folder: string;
  readonly heldOut: typeof heldOutFlights;
}

const USUAL: Surroundings = { folder: join(cacheDirectory(), 'flight-rows'), heldOut: heldOutFlights };

/**
 * Real US flights that no training run has seen; unless `selection` says otherwise of the whole half-year and of every
 * airport. They are kept in a folder: to read three million flights takes seconds, and each test of the cluster asks.
 */
export async function flightRows(
  limit: number,
  selection: Selection = {},
  { folder, heldOut }: Surroundings = USUAL,
): Promise<Row[]> {
  const files = flightFiles();
  const drawn = Math.max(limit, KEPT);
  const path = join(folder, `${await keyOf(files, drawn, selection)}.json`);
  const rows = await readFile(path, 'utf8').then(
    (text) => JSON.parse(text) as Row[],
    async () => keep(path, await heldOut(files, { limit: drawn, selection })),
  );
  return rows.slice(0, limit);
}

/** Changes with the flights and with all that makes requests of them. */
async function keyOf(files: FlightFiles, limit: number, selection: Selection): Promise<string> {
  const sources = (await readdir(RECIPE)).filter((name) => !name.includes('.test.')).sort();
  const of = [join(dirname(files.flights), '..', 'package.json'), ...sources.map((name) => join(RECIPE, name))];
  return contentKeyOf(of, [JSON.stringify({ limit, selection })]);
}

async function keep(path: string, flights: readonly HeldOutFlight[]): Promise<Row[]> {
  const rows = flights.map(({ request, label }) => ({ body: JSON.stringify(request), label }));
  await mkdir(dirname(path), { recursive: true });
  // Whole or not at all: others ask at the same time.
  const half = `${path}.${randomUUID()}`;
  await writeFile(half, JSON.stringify(rows));
  await rename(half, path);
  return rows;
}

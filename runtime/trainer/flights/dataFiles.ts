import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The two files of the npm package vega-datasets that this trainer reads. */
export interface FlightFiles {
  /** Three million US flights of January to June 2001: date, delay, distance, origin, destination. */
  readonly flights: string;
  /** Flights per pair of airports in 2008: origin,destination,count. */
  readonly routes: string;
}

const filesIn = (folder: string): FlightFiles => ({
  flights: join(folder, 'flights-3m.parquet'),
  routes: join(folder, 'flights-airport.csv'),
});

/**
 * Finds the data: `inputDir`/flights where a dataset is mounted there, else the installed npm package. The package
 * exports only its index, so its data folder is found beside that.
 */
export function flightFiles(inputDir?: string): FlightFiles {
  const mounted = inputDir === undefined ? undefined : filesIn(join(inputDir, 'flights'));
  if (mounted !== undefined && existsSync(mounted.flights)) return mounted;
  const packageIndex = fileURLToPath(import.meta.resolve('vega-datasets'));
  return filesIn(join(dirname(packageIndex), '..', 'data'));
}

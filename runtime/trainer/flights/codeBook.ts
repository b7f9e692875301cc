import { readFile } from 'node:fs/promises';

/**
 * The public numbering of airports: code 1 is the busiest by the route counts that ship with the data, 2 the next,
 * and so on; ties go by name. Code 0 means an airport that the book does not list. Trainer and clients read the same
 * file, so a code means the same airport in every version of the model.
 */
export interface CodeBook {
  /** Airports listed, by code; index 0 is the unknown airport. */
  readonly airports: readonly string[];
  readonly codeOf: (airport: string) => number;
}

export const UNKNOWN_AIRPORT = 0;

/** Reads the code book from the route counts (lines of origin,destination,count under a heading). */
export async function readCodeBook(path: string): Promise<CodeBook> {
  return codeBookOf(await readFile(path, 'utf8'));
}

export function codeBookOf(csv: string): CodeBook {
  const flights = new Map<string, number>();
  for (const line of csv.trim().split('\n').slice(1)) {
    const [origin = '', destination = '', count = '0'] = line.trim().split(',');
    for (const airport of [origin, destination]) flights.set(airport, (flights.get(airport) ?? 0) + Number(count));
  }
  const byTraffic = [...flights].sort(([a, n], [b, m]) => m - n || (a < b ? -1 : 1)).map(([airport]) => airport);
  const codes = new Map(byTraffic.map((airport, index) => [airport, index + 1]));
  return { airports: ['', ...byTraffic], codeOf: (airport) => codes.get(airport) ?? UNKNOWN_AIRPORT };
}

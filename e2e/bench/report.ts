import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { repositoryRoot } from '@slipway/hack/local-cluster/paths.ts';

/** One number, with what it is of. */
export interface Measurement {
  readonly what: string;
  readonly value: number;
  readonly unit: string;
}

const rounded = (value: number): number => Number(value.toPrecision(3));

/** Prints the numbers as a table and keeps them in .bench/<name>.json. */
export async function report(name: string, measurements: readonly Measurement[]): Promise<void> {
  const rows = measurements.map((m) => ({ ...m, value: rounded(m.value) }));
  const width = Math.max(...rows.map((row) => row.what.length));
  process.stdout.write(rows.map((row) => `${row.what.padEnd(width)}  ${row.value} ${row.unit}\n`).join(''));
  const folder = join(repositoryRoot, '.bench');
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, `${name}.json`), `${JSON.stringify({ name, measurements: rows }, null, 2)}\n`);
}

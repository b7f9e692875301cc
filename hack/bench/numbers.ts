import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { repositoryRoot } from '../local-cluster/paths.ts';

/** What a bench leaves in .bench/<name>.json. */
export interface BenchResult {
  readonly name: string;
  /** `unit`: empty for a ratio. */
  readonly measurements: readonly { readonly what: string; readonly value: number; readonly unit: string }[];
}

const BEGIN = '<!-- bench: written by make bench -->';
const END = '<!-- end of bench -->';
const EMPTY = `# Numbers\n\n${BEGIN}\n${END}\n`;
const HEAD = ['| What | Measured on 2 shared cores |', '|---|---|'];
const ROW = /^\| (.+) \| (.+) \|$/;

/**
 * `page` with the results in its table, between the marks. Rows that were not measured now stay as they are: nobody runs
 * every bench at once. A measurement that has got another name leaves its old row behind, for a person to take out.
 * Throws where the marks are gone.
 */
export function withResults(page: string, results: readonly BenchResult[]): string {
  const [begin, end] = [page.indexOf(BEGIN), page.indexOf(END)];
  if (begin < 0 || end < begin) throw new Error(`docs/numbers.md has lost its marks: it needs ${BEGIN} and ${END}`);
  const rows = rowsOf(page.slice(begin, end));
  for (const { measurements } of results)
    for (const { what, value, unit } of measurements) rows.set(what, `${value} ${unit}`.trim());
  const table = [...HEAD, ...[...rows].map(([what, measured]) => `| ${what} | ${measured} |`)].join('\n');
  return `${page.slice(0, begin)}${BEGIN}\n\n${table}\n\n${page.slice(end)}`;
}

/** What the table says, by what was measured and in its order. */
function rowsOf(table: string): Map<string, string> {
  const rows = table.split('\n').flatMap((line) => (HEAD.includes(line) ? [] : [ROW.exec(line)]));
  return new Map(rows.flatMap((row) => (row?.[1] && row[2] ? [[row[1], row[2].trim()]] : [])));
}

/** Writes the section of docs/numbers.md that the benches fill. */
export async function writeNumbers(results: readonly BenchResult[]): Promise<void> {
  const path = join(repositoryRoot, 'docs', 'numbers.md');
  const text = await readFile(path, 'utf8').catch(() => EMPTY);
  await writeFile(path, withResults(text, results));
}

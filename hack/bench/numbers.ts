import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { repositoryRoot } from '../local-cluster/paths.ts';

/** What a bench leaves in .bench/<name>.json. */
export interface BenchResult {
  readonly name: string;
  readonly measurements: readonly { readonly what: string; readonly value: number; readonly unit: string }[];
}

const BEGIN = '<!-- bench: written by make bench -->';
const END = '<!-- end of bench -->';
const EMPTY = `# Numbers\n\n${BEGIN}\n${END}\n`;

export function numbersTable(results: readonly BenchResult[]): string {
  const rows = results.flatMap(({ measurements }) => measurements.map((m) => `| ${m.what} | ${m.value} ${m.unit} |`));
  return ['| What | Measured on 2 shared cores |', '|---|---|', ...rows].join('\n');
}

/** Puts the table between the two marks of `text`, and leaves what people wrote around them. */
export function withTable(text: string, table: string): string {
  const [begin, end] = [text.indexOf(BEGIN), text.indexOf(END)];
  if (begin < 0 || end < begin) throw new Error(`docs/numbers.md has lost its marks: it needs ${BEGIN} and ${END}`);
  return `${text.slice(0, begin)}${BEGIN}\n\n${table}\n\n${text.slice(end)}`;
}

/** Writes the section of docs/numbers.md that the benches fill. */
export async function writeNumbers(results: readonly BenchResult[]): Promise<void> {
  const path = join(repositoryRoot, 'docs', 'numbers.md');
  const text = await readFile(path, 'utf8').catch(() => EMPTY);
  await writeFile(path, withTable(text, numbersTable(results)));
}

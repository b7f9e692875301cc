import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { parse } from 'csv-parse';
import { Failure, sentenceOf } from '../../artifact/failure.ts';
import { jsonOf } from '../../artifact/json.ts';

export type Row = Readonly<Record<string, unknown>>;

/** Whether a file is a table that can be read here. */
export const isTable = (path: string): boolean => /\.(csv|tsv|jsonl|ndjson)$/i.test(path);

/** Rows of a table, one after another, however long it is. Throws Failure OutputInvalid for one that is none. */
export async function* rowsOf(path: string): AsyncIterable<Row> {
  try {
    yield* /\.(csv|tsv)$/i.test(path) ? csvRows(path) : jsonRows(path);
  } catch (cause) {
    if (cause instanceof Failure) throw cause;
    throw new Failure('OutputInvalid', `${path} is no table: ${sentenceOf(cause)}.`, { cause });
  }
}

/** The first line holds the names of the columns. */
async function* csvRows(path: string): AsyncIterable<Row> {
  const delimiter = path.toLowerCase().endsWith('.tsv') ? '\t' : ',';
  yield* createReadStream(path).pipe(
    parse({ columns: true, bom: true, skip_empty_lines: true, delimiter }),
  ) as AsyncIterable<Row>;
}

async function* jsonRows(path: string): AsyncIterable<Row> {
  for await (const line of createInterface({ input: createReadStream(path), crlfDelay: Number.POSITIVE_INFINITY })) {
    const row = line.trim() === '' ? undefined : jsonOf(line);
    if (typeof row === 'object' && row !== null) yield row as Row;
  }
}

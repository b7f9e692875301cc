import { zstdDecompressSync } from 'node:zlib';
import { asyncBufferFromFile, parquetMetadataAsync, parquetRead } from 'hyparquet';
import type { CodeBook } from './codeBook.ts';

/** The flights, column by column; the index into a column is the row of the file and names the flight for good. */
export interface FlightTable {
  readonly rows: number;
  /** Departure, local time as if it were UTC, in minutes since 1970. */
  readonly departure: Int32Array;
  /** Delay on arrival in minutes; negative is early. */
  readonly delay: Int16Array;
  /** Miles. */
  readonly distance: Int16Array;
  /** Airport codes of the code book. */
  readonly origin: Uint16Array;
  readonly destination: Uint16Array;
}

/** A flight counts as delayed when it arrives more than this many minutes late, as the US statistics define it. */
export const DELAYED_AFTER_MINUTES = 15;

const MICROSECONDS_PER_MINUTE = 60_000_000n;

/**
 * Reads the Parquet file group by group, so that no more than one group (270,000 rows) is held in decoded form: the
 * three million rows take 50 MB as typed arrays and ten times that as objects.
 */
export async function readFlights(path: string, book: CodeBook): Promise<FlightTable> {
  const file = await asyncBufferFromFile(path);
  const metadata = await parquetMetadataAsync(file);
  const table = emptyTable(Number(metadata.num_rows));
  const fill = fillers(table, book);
  let rowStart = 0;
  for (const group of metadata.row_groups) {
    const rowEnd = rowStart + Number(group.num_rows);
    await parquetRead({
      file,
      metadata,
      rowStart,
      rowEnd,
      geoparquet: false,
      parsers: { timestampFromMicroseconds: (micros) => Number(micros / MICROSECONDS_PER_MINUTE) },
      compressors: { ZSTD: (bytes) => zstdDecompressSync(bytes) },
      onChunk: ({ columnName, columnData, rowStart: first }) => fill[columnName]?.(columnData, first),
    });
    rowStart = rowEnd;
  }
  return table;
}

const emptyTable = (rows: number): FlightTable => ({
  rows,
  departure: new Int32Array(rows),
  delay: new Int16Array(rows),
  distance: new Int16Array(rows),
  origin: new Uint16Array(rows),
  destination: new Uint16Array(rows),
});

type Column = Int32Array | Int16Array | Uint16Array;
type Fill = (values: ArrayLike<unknown>, first: number) => void;

function fillers(table: FlightTable, book: CodeBook): Readonly<Record<string, Fill>> {
  const into =
    (column: Column, numberOf: (raw: unknown) => number): Fill =>
    (values, first) => {
      for (let i = 0; i < values.length; i++) column[first + i] = numberOf(values[i]);
    };
  const codeOf = (airport: unknown) => book.codeOf(String(airport));
  return {
    date: into(table.departure, Number),
    delay: into(table.delay, Number),
    distance: into(table.distance, Number),
    origin: into(table.origin, codeOf),
    destination: into(table.destination, codeOf),
  };
}

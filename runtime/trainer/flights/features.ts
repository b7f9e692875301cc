import type { Signature } from '@slipway/crds/contract';
import { DELAYED_AFTER_MINUTES, type FlightTable } from './table.ts';

/** Columns of the `numeric` tensor, in order. All are known when the aircraft leaves the gate. */
export const NUMERIC_FEATURES = ['hour', 'dayOfWeek', 'month', 'distance'] as const;

/** Inputs and output of every version of the model: what differs between versions never shows to a client. */
export const FLIGHTS_SIGNATURE: Signature = {
  inputs: [
    { name: 'numeric', datatype: 'FP32', shape: [-1, NUMERIC_FEATURES.length] },
    { name: 'origin', datatype: 'INT64', shape: [-1, 1] },
    { name: 'destination', datatype: 'INT64', shape: [-1, 1] },
  ],
  outputs: [{ name: 'probability', datatype: 'FP32', shape: [-1, 1] }],
};

/** Examples ready for a model: row-major features, airport codes and the label, 1 for delayed. */
export interface Examples {
  /** Row of the file each example comes from. */
  readonly rows: readonly number[];
  readonly numeric: Float32Array;
  readonly origin: Int32Array;
  readonly destination: Int32Array;
  readonly label: Float32Array;
}

const MINUTES_PER_DAY = 1440;
/** 1970-01-01 was a Thursday; 0 is Sunday, as in Date.getUTCDay. */
const FIRST_WEEKDAY = 4;

/** Month of a departure, 1 to 12. */
export const monthOf = (departure: number): number => new Date(departure * 60_000).getUTCMonth() + 1;

/** The features of one departure, in the order of NUMERIC_FEATURES. */
export function numericFeatures(departure: number, distance: number): readonly number[] {
  const day = Math.floor(departure / MINUTES_PER_DAY);
  const hour = Math.floor((departure - day * MINUTES_PER_DAY) / 60);
  return [hour, (day + FIRST_WEEKDAY) % 7, monthOf(departure), distance];
}

export const isDelayed = (delay: number): boolean => delay > DELAYED_AFTER_MINUTES;

const at = (column: ArrayLike<number>, row: number): number => column[row] ?? Number.NaN;

export function examplesOf(table: FlightTable, rows: readonly number[]): Examples {
  const numeric = new Float32Array(rows.length * NUMERIC_FEATURES.length);
  rows.forEach((row, i) => {
    numeric.set(numericFeatures(at(table.departure, row), at(table.distance, row)), i * NUMERIC_FEATURES.length);
  });
  return {
    rows,
    numeric,
    origin: Int32Array.from(rows, (row) => at(table.origin, row)),
    destination: Int32Array.from(rows, (row) => at(table.destination, row)),
    label: Float32Array.from(rows, (row) => (isDelayed(at(table.delay, row)) ? 1 : 0)),
  };
}

/** Examples `from` (inclusive) to `to` (exclusive). */
export function sliceExamples(examples: Examples, from: number, to: number): Examples {
  const width = NUMERIC_FEATURES.length;
  return {
    rows: examples.rows.slice(from, to),
    numeric: examples.numeric.slice(from * width, to * width),
    origin: examples.origin.slice(from, to),
    destination: examples.destination.slice(from, to),
    label: examples.label.slice(from, to),
  };
}

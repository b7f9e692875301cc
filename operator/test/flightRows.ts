import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { BASELINE_SCHEMA, type Baseline, type Summarised } from '@slipway/crds/contract';
import { binned } from './evidenceDocument.ts';

/** One real US flight of early 2001, and what a small model says of it: its chance to be late. */
export interface FlightRow {
  readonly distance: number;
  readonly hour: number;
  readonly origin: string;
  readonly late: number;
}

interface Flight {
  readonly date: string;
  readonly distance: number;
  readonly origin: string;
}

/** Delays grow through the day, and a little with the distance. */
const lateness = (hour: number, distance: number): number => 1 / (1 + Math.exp(-(hour - 15) / 4 - distance / 5000));

/** 20,000 flights in the order of their departure. */
export function flightRows(): readonly FlightRow[] {
  const packageIndex = fileURLToPath(import.meta.resolve('vega-datasets'));
  const file = join(dirname(packageIndex), '..', 'data', 'flights-20k.json');
  const flights = JSON.parse(readFileSync(file, 'utf8')) as readonly Flight[];
  return flights.map(({ date, distance, origin }) => {
    const hour = Number(date.slice(11, 13));
    return { distance, hour, origin, late: lateness(hour, distance) };
  });
}

const BINS = 10;
const CATEGORIES = 20;
const NUMERIC = ['distance', 'hour', 'late'] as const;

function binsOf(values: readonly number[], edges: readonly number[]): number[] {
  const counts = new Array<number>(edges.length + 1).fill(0);
  for (const value of values) {
    const above = edges.findIndex((edge) => value <= edge);
    const bin = above === -1 ? edges.length : above;
    counts[bin] = (counts[bin] ?? 0) + 1;
  }
  return counts;
}

function numericOf(name: (typeof NUMERIC)[number], rows: readonly FlightRow[]): Summarised {
  const values = rows.map((row) => row[name]).sort((a, b) => a - b);
  const quantiles = Array.from(
    { length: BINS - 1 },
    (_, i) => values[Math.floor(((i + 1) * values.length) / BINS)] ?? 0,
  );
  const edges = [...new Set(quantiles)];
  const mean = values.reduce((a, b) => a + b, 0) / values.length;
  return {
    name,
    tensor: name,
    index: 0,
    kind: 'numeric',
    count: values.length,
    min: values[0] ?? 0,
    max: values.at(-1) ?? 0,
    mean,
    m2: values.reduce((sum, value) => sum + (value - mean) ** 2, 0),
    bins: { edges, counts: binsOf(values, edges) },
  };
}

function originsOf(rows: readonly FlightRow[]): Summarised {
  const counts = new Map<string, number>();
  for (const { origin } of rows) counts.set(origin, (counts.get(origin) ?? 0) + 1);
  const frequent = [...counts].sort(([, a], [, b]) => b - a).slice(0, CATEGORIES);
  const categories = frequent.map(([value, count]) => ({ value, count }));
  const listed = categories.reduce((sum, { count }) => sum + count, 0);
  return {
    name: 'origin',
    tensor: 'origin',
    index: 0,
    kind: 'categorical',
    count: rows.length,
    categories,
    other: rows.length - listed,
  };
}

/** What a model that was trained on these rows would carry. */
export const flightBaseline = (rows: readonly FlightRow[]): Baseline => ({
  schema: BASELINE_SCHEMA,
  dataset: { name: 'flights', digest: 'sha256:', rows: rows.length },
  features: [numericOf('distance', rows), numericOf('hour', rows), originsOf(rows)],
  predictions: [numericOf('late', rows)],
});

const countsOf = (of: Summarised, rows: readonly FlightRow[]): number[] => {
  if (of.kind === 'numeric')
    return binsOf(
      rows.map((row) => row[of.name as 'distance']),
      of.bins.edges,
    );
  const names = of.categories.map(({ value }) => value);
  const counts = new Array<number>(names.length + 1).fill(0);
  for (const { origin } of rows) {
    const at = names.indexOf(origin);
    const bin = at === -1 ? names.length : at;
    counts[bin] = (counts[bin] ?? 0) + 1;
  }
  return counts;
};

/** What a runtime process counts that was asked about these rows. */
export const flightCounts = ({ features, predictions }: Baseline, rows: readonly FlightRow[]) => ({
  features: features.map((of) => binned(of.name, countsOf(of, rows))),
  predictions: predictions.map((of) => binned(of.name, countsOf(of, rows))),
  rows: { run: rows.length, judged: rows.length },
});

/** A row of docs/numbers.md, as hack/bench.ts takes it from .bench/*.json. */
export interface Measurement {
  readonly what: string;
  readonly value: number;
  readonly unit: string;
}

/** A table of docs/statistics.md. */
export interface Section {
  /** As the page's marks call it. */
  readonly name: string;
  readonly title: string;
  readonly head: readonly string[];
  readonly rows: readonly (readonly string[])[];
  /** What is broken of the promise that the table is about; empty: it is kept. */
  readonly broken: readonly string[];
  /** The few numbers that stand for it in docs/numbers.md. */
  readonly measurements: readonly Measurement[];
}

/** Seeded rollouts: the same table each time. */
export const rollouts = <T>(runs: number, one: (seed: number) => T): readonly T[] =>
  Array.from({ length: runs }, (_, i) => one(i + 1));

/** A share as percent, three digits at most. */
export const percent = (share: number): string => `${Number((share * 100).toPrecision(3))}%`;

/** More than a share of `level` explains: three standard deviations, which chance exceeds once in a thousand cells. */
export const isMoreThan = (level: number, count: number, runs: number): boolean =>
  count > runs * level + 3 * Math.sqrt(runs * level * (1 - level));

/** The value that a share of them does not exceed. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

export const mean = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length;

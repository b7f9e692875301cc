import { logGamma } from '@slipway/operator/domain/analysis/logGamma.ts';

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

/**
 * First seed of the published tables. Constants are chosen with seeds from 1 on, and looked at once more with others: who
 * chose one after he saw the published tables takes another first seed for them, or they show what they were made for.
 */
export const PUBLISHED_SEED = 1_000_000_001;
let firstSeed = PUBLISHED_SEED;

/** Tables from this seed on: what is tried while constants are chosen. */
export function drawFrom(seed: number): void {
  firstSeed = seed;
}

/** Seeded rollouts: the same table each time. */
export const rollouts = <T>(runs: number, one: (seed: number) => T): readonly T[] =>
  Array.from({ length: runs }, (_, i) => one(firstSeed + i));

/** A share as percent, three digits at most. */
export const percent = (share: number): string => `${Number((share * 100).toPrecision(3))}%`;

/** So rarely does chance alone break a promise that is just kept: once in 200 cells. */
const RARE = 0.005;

/** Chance of `count` or more hits in so many runs, each with chance `level`: the binomial tail, summed from its largest term on. */
export function tail(level: number, count: number, runs: number): number {
  if (count <= 0) return 1;
  const logTerm = (k: number): number =>
    logGamma(runs + 1) -
    logGamma(k + 1) -
    logGamma(runs - k + 1) +
    k * Math.log(level) +
    (runs - k) * Math.log1p(-level);
  let sum = 0;
  for (let k = count; k <= runs; k += 1) sum += Math.exp(logTerm(k));
  return Math.min(1, sum);
}

/** More than a share of `level` explains, by the exact binomial tail. */
export const isMoreThan = (level: number, count: number, runs: number): boolean =>
  count > runs * level && tail(level, count, runs) < RARE;

/** The value that a share of them does not exceed. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

export const mean = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length;

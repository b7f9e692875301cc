import { normalQuantile } from '../chiSquare.ts';
import { exceeds } from '../difference.ts';
import { mulberry32 } from '../simulation.ts';
import { drawn } from './traffic.ts';

/** A difference that is there, and how it is looked for. */
export interface Comparison {
  readonly stable: number;
  readonly candidate: number;
  readonly margin: number;
  /** Share of the candidate in the requests. */
  readonly weight: number;
  readonly alpha: number;
}

/**
 * Requests of the candidate with which a test of fixed size that knew both rates beforehand would find it in nine of ten
 * cases: normal approximation, one-sided, the variance under the null at the pooled rates.
 * Source: Fleiss, Levin & Paik 2003, §4.2; Farrington & Manning 1990 for a margin.
 */
export function fixedSampleSize({ stable, candidate, margin, weight, alpha }: Comparison): number {
  const part = weight / (1 - weight);
  const pooled = weight * (candidate - margin) + (1 - weight) * stable;
  const variance = (higher: number, lower: number): number => higher * (1 - higher) + part * lower * (1 - lower);
  const atNull = normalQuantile(alpha) * Math.sqrt(variance(pooled + margin, pooled));
  const atTruth = normalQuantile(0.1) * Math.sqrt(variance(candidate, stable));
  return ((atNull + atTruth) / (candidate - stable - margin)) ** 2;
}

/** Requests of the candidate until it is found worse, looked at 25 times within `fixed` requests, at most 12 times those. */
export function requestsUntilWorse(comparison: Comparison, fixed: number, seed: number): number {
  const { stable, candidate, margin, weight, alpha } = comparison;
  const uniform = mulberry32(seed);
  const step = Math.max(1, Math.round(fixed / 25));
  const beside = Math.max(1, Math.round((step * (1 - weight)) / weight));
  let [higher, lower] = [
    { hits: 0, total: 0 },
    { hits: 0, total: 0 },
  ];
  while (higher.total < 12 * fixed) {
    higher = { hits: higher.hits + drawn(uniform, step, candidate), total: higher.total + step };
    lower = { hits: lower.hits + drawn(uniform, beside, stable), total: lower.total + beside };
    if (exceeds(higher, lower, margin, alpha)) break;
  }
  return higher.total;
}

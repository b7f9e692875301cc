import { normalQuantile } from '../chiSquare.ts';
import { exceeds } from '../difference.ts';
import { mulberry32 } from '../simulation.ts';
import { drawn, type Traffic } from './traffic.ts';

/** A difference that is there, and how it is looked for. */
export interface Comparison {
  readonly stable: number;
  readonly candidate: number;
  readonly margin: number;
  /** Share of the candidate in the requests. */
  readonly weight: number;
  readonly alpha: number;
  /** By how much the variance of each version's failures is larger than that of independent ones. Default 1. */
  readonly designEffect?: { readonly stable: number; readonly candidate: number };
}

/**
 * Requests of the candidate with which a test of fixed size that knew both rates beforehand would find it in nine of ten
 * cases: normal approximation, one-sided, the variance under the null at the pooled rates.
 * Source: Fleiss, Levin & Paik 2003, §4.2; Farrington & Manning 1990 for a margin.
 */
export function fixedSampleSize({ stable, candidate, margin, weight, alpha, designEffect }: Comparison): number {
  const { stable: ofStable, candidate: ofCandidate } = designEffect ?? { stable: 1, candidate: 1 };
  const part = (ofStable * weight) / (1 - weight);
  const pooled = weight * (candidate - margin) + (1 - weight) * stable;
  const variance = (higher: number, lower: number): number =>
    ofCandidate * higher * (1 - higher) + part * lower * (1 - lower);
  const atNull = normalQuantile(alpha) * Math.sqrt(variance(pooled + margin, pooled));
  const atTruth = normalQuantile(0.1) * Math.sqrt(variance(candidate, stable));
  return ((atNull + atTruth) / (candidate - stable - margin)) ** 2;
}

const WINDOWS = 4000;
const WINDOW_SECONDS = 60;

/**
 * Design effect of a minute of this traffic, by its rates of a quarter of a million seconds: what a test knows that was
 * planned for it.
 */
export function trueDesignEffect(traffic: Traffic, rate: number, perSecond: number): number {
  const next = traffic(mulberry32(1), rate);
  const means = Array.from({ length: WINDOWS }, () => {
    let sum = 0;
    for (let second = 0; second < WINDOW_SECONDS; second += 1) sum += next();
    return sum / WINDOW_SECONDS;
  });
  const mean = means.reduce((a, b) => a + b, 0) / WINDOWS;
  const variance = means.reduce((sum, one) => sum + (one - mean) ** 2, 0) / WINDOWS;
  return 1 + (perSecond * WINDOW_SECONDS * variance) / (mean * (1 - mean));
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

import type { Estimate } from './interval.ts';

const TAIL = 0.025;

/** Probability of k of n, each of chance p, for k = 0 … n, in logarithms so that no n is too large. */
function cumulative(n: number, p: number): Float64Array {
  const sums = new Float64Array(n + 1);
  const [yes, no] = [Math.log(p), Math.log1p(-p)];
  let log = n * no;
  let sum = 0;
  for (let k = 0; k <= n; k++) {
    sum += Math.exp(log);
    sums[k] = Math.min(1, sum);
    log += Math.log((n - k) / (k + 1)) + yes - no;
  }
  return sums;
}

/**
 * Distribution-free interval of a quantile from order statistics: how many of n values lie below it is binomial, whatever
 * their distribution (Conover 1999, 3.2). Where n is too small for a bound, that bound is infinite.
 */
export function quantileInterval(ascending: ArrayLike<number>, quantile: number): Estimate {
  const n = ascending.length;
  const sums = cumulative(n, quantile);
  // The r-th smallest exceeds the quantile with probability P(fewer than r lie at or below it).
  let low = -1;
  while (low + 1 < n && (sums[low + 1] ?? 1) <= TAIL) low += 1;
  let high = 0;
  while (high < n && (sums[high] ?? 1) < 1 - TAIL) high += 1;
  const value = ascending[Math.min(n - 1, Math.ceil(quantile * n) - 1)] ?? Number.NaN;
  return {
    value,
    low: low < 0 ? Number.NEGATIVE_INFINITY : (ascending[low] ?? Number.NaN),
    high: high >= n ? Number.POSITIVE_INFINITY : (ascending[high] ?? Number.NaN),
  };
}

/** Values needed for an upper bound of the quantile to exist. */
export const fewestForQuantile = (quantile: number): number => Math.ceil(Math.log(TAIL) / Math.log(quantile));

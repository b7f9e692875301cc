import type { Count } from '../metrics/classes.ts';
import type { Estimate, Interval } from './interval.ts';
import { Z95 } from './normal.ts';

/**
 * Wilson's score interval for a proportion (Wilson 1927), the one that Brown, Cai and DasGupta (2001) recommend. It
 * stays inside [0, 1] and is honest for small samples; with no trials nothing is known.
 */
export function wilsonInterval(successes: number, trials: number, z = Z95): Interval {
  if (trials === 0) return { low: 0, high: 1 };
  const p = successes / trials;
  const scale = 1 + z ** 2 / trials;
  const centre = (p + z ** 2 / (2 * trials)) / scale;
  const reach = (z * Math.sqrt((p * (1 - p)) / trials + z ** 2 / (4 * trials ** 2))) / scale;
  return { low: Math.max(0, centre - reach), high: Math.min(1, centre + reach) };
}

export const proportion = ({ successes, trials }: Count, z = Z95): Estimate => ({
  value: successes / trials,
  ...wilsonInterval(successes, trials, z),
});

/**
 * F1 of one class. Given how many examples are positive or flagged, those that are both are binomial, and F1 is
 * 2 J / (1 + J) of that share J: Wilson's bounds of J carry over (Takahashi et al. 2022 derive the same by the score).
 */
export function f1Interval(jaccard: Count, z = Z95): Estimate {
  const f1 = (share: number) => (2 * share) / (1 + share);
  const { value, low, high } = proportion(jaccard, z);
  return { value: f1(value), low: f1(low), high: f1(high) };
}

/**
 * Mean of independent shares, by the method of variance estimates recovery (Zou and Donner 2008): each share's own
 * Wilson bounds stand for its spread, so that a class without an error is not taken to have none ever.
 */
export function meanOfShares(counts: readonly Count[], z = Z95): Estimate {
  const shares = counts.filter(({ trials }) => trials > 0).map((count) => proportion(count, z));
  if (shares.length === 0) return { value: Number.NaN, low: 0, high: 1 };
  const value = shares.reduce((sum, share) => sum + share.value, 0) / shares.length;
  const reach = (of: (share: Estimate) => number) => Math.hypot(...shares.map(of)) / shares.length;
  return {
    value,
    low: Math.max(0, value - reach((share) => share.value - share.low)),
    high: Math.min(1, value + reach((share) => share.high - share.value)),
  };
}

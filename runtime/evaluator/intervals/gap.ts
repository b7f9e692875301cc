import type { Estimate } from './interval.ts';
import { normalQuantile, Z95 } from './normal.ts';

const ONE_SIDED = 0.025;

/**
 * Largest difference between any two of several independent values. The largest of many noisy differences is too large
 * by itself, so that neither its value nor a resampling of it can be believed. Instead:
 * - low: a bound of every difference at once (Bonferroni over the ordered pairs), the best of which is the proof that
 *   some two differ;
 * - high: the largest upper bound of any pair. That the gap is below it means that each pair is, which is tested pair by
 *   pair and needs no correction (intersection-union, Berger 1982).
 * Bounds of a difference are recovered from those of the two values (Zou and Donner 2008). `intervalAt` gives the
 * values' two-sided intervals at a normal quantile.
 */
export function gapInterval(intervalsAt: (z: number) => readonly Estimate[]): Estimate {
  const plain = intervalsAt(Z95);
  const pairs = plain.length * (plain.length - 1);
  const strict = intervalsAt(-normalQuantile(ONE_SIDED / Math.max(1, pairs)));
  let [value, low, high] = [0, 0, 0];
  for (const [i, a] of plain.entries())
    for (const [j, b] of plain.entries()) {
      if (i === j) continue;
      const difference = a.value - b.value;
      value = Math.max(value, difference);
      high = Math.max(high, difference + Math.hypot(a.high - a.value, b.value - b.low));
      const [strictA, strictB] = [strict[i] as Estimate, strict[j] as Estimate];
      low = Math.max(low, difference - Math.hypot(a.value - strictA.low, strictB.high - b.value));
    }
  return { value, low, high };
}

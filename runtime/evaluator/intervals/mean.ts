import type { RandomBelow } from '../random.ts';
import { RESAMPLES } from './bootstrap.ts';
import type { Estimate, Interval } from './interval.ts';
import { normalCdf, Z95 } from './normal.ts';

/** Of so many terms the mean is normal for all that a bound shows, and resampling them takes seconds. */
const NORMAL_FROM = 20_000;

/**
 * Interval of a mean by the studentised bootstrap (Efron and Tibshirani 1993, 12.5) of 2,000 resamples: each resample is
 * measured in its own standard errors, so that a few large terms, which a small sample may lack, make the interval
 * reach out on their side. Percentiles of the mean alone, corrected or not, miss such losses too often.
 */
export function meanInterval(terms: Float64Array, random: RandomBelow, widest: Interval, z = Z95): Estimate {
  const { length } = terms;
  const { mean: value, error } = momentsOf(terms, (i) => i);
  if (length < 2 || Number.isNaN(value)) return { value, ...widest };
  if (error === 0) return { value, low: value, high: value };
  if (length >= NORMAL_FROM) return around(value, z * error, z * error, widest);
  const ratios: number[] = [];
  for (let resample = 0; resample < RESAMPLES; resample++) {
    const drawn = momentsOf(terms, () => random(length));
    if (drawn.error > 0) ratios.push((drawn.mean - value) / drawn.error);
  }
  if (ratios.length < RESAMPLES / 2) return { value, ...widest };
  ratios.sort((a, b) => a - b);
  const at = (share: number) => ratios[Math.round(share * (ratios.length - 1))] ?? 0;
  const tail = normalCdf(-z);
  return around(value, at(1 - tail) * error, -at(tail) * error, widest);
}

const around = (value: number, below: number, above: number, widest: Interval): Estimate => ({
  value,
  low: Math.min(value, Math.max(widest.low, value - below)),
  high: Math.max(value, Math.min(widest.high, value + above)),
});

/** Mean and its standard error of as many terms as there are, chosen by `at`. */
function momentsOf(terms: Float64Array, at: (draw: number) => number) {
  const { length } = terms;
  let sum = 0;
  let squares = 0;
  for (let draw = 0; draw < length; draw++) {
    const term = terms[at(draw)] ?? Number.NaN;
    sum += term;
    squares += term * term;
  }
  const mean = sum / length;
  const variance = Math.max(0, squares / length - mean * mean);
  // Rounding leaves a little where all terms are the same.
  return { mean, error: variance < 1e-14 * mean * mean ? 0 : Math.sqrt(variance / Math.max(1, length - 1)) };
}

import type { RandomBelow } from '../random.ts';
import type { Weights } from '../sample.ts';
import type { Estimate, Interval } from './interval.ts';
import { normalCdf, normalQuantile, studentQuantile, Z95 } from './normal.ts';

/** A number of a whole sample, NaN where it is undefined. */
export type Statistic = (weights: Weights) => number;

export const RESAMPLES = 2000;
/** Leaving out one example at a time is exact; of a large sample, groups of examples say as much. */
const MOST_JACKKNIVES = 200;

/**
 * Bias-corrected and accelerated bootstrap interval (Efron 1987) of a statistic over 2,000 resamples, its levels widened
 * as Student's t widens the normal's (Hesterberg 2015): resamples of a small sample spread too little. A resample in
 * which the statistic is undefined says nothing; where most are, `widest` is returned.
 */
export function bootstrap(
  statistic: Statistic,
  size: number,
  random: RandomBelow,
  widest: Interval,
  z = Z95,
): Estimate {
  return bootstrapAll([{ statistic, widest }], size, random, z)[0] as Estimate;
}

/** The same of several statistics of the same sample, from the same resamples. */
export function bootstrapAll(
  wanted: readonly { readonly statistic: Statistic; readonly widest: Interval }[],
  size: number,
  random: RandomBelow,
  z = Z95,
): Estimate[] {
  const found = resampled(
    wanted.map(({ statistic }) => statistic),
    size,
    random,
  );
  const once = new Uint8Array(size).fill(1);
  return wanted.map(({ statistic, widest }, i) => {
    const value = statistic(once);
    const values = (found[i] ?? []).filter((one) => !Number.isNaN(one)).sort((a, b) => a - b);
    if (Number.isNaN(value) || values.length < RESAMPLES / 2 || size < 2) return { value, ...widest };
    return { value, ...bcaInterval(value, values, accelerationOf(statistic, size), size, z) };
  });
}

function resampled(statistics: readonly Statistic[], size: number, random: RandomBelow): number[][] {
  const values = statistics.map(() => [] as number[]);
  const weights = new Uint16Array(size);
  for (let resample = 0; resample < RESAMPLES; resample++) {
    weights.fill(0);
    for (let draw = 0; draw < size; draw++) {
      const example = random(size);
      weights[example] = (weights[example] ?? 0) + 1;
    }
    for (const [i, statistic] of statistics.entries()) values[i]?.push(statistic(weights));
  }
  return values;
}

/** `values` ascending. */
function bcaInterval(
  value: number,
  values: readonly number[],
  acceleration: number,
  size: number,
  z: number,
): Interval {
  const below = values.reduce((sum, one) => sum + (one < value ? 1 : one === value ? 0.5 : 0), 0);
  const half = 0.5 / values.length;
  const bias = normalQuantile(Math.min(1 - half, Math.max(half, below / values.length)));
  const reach = Math.sqrt(size / (size - 1)) * studentQuantile(z, size - 1);
  const at = (level: number): number => {
    const shifted = bias + (bias + level) / (1 - acceleration * (bias + level));
    const share = normalCdf(shifted);
    return values[Math.min(values.length - 1, Math.max(0, Math.round(share * (values.length - 1))))] ?? value;
  };
  // A strongly skewed sample can leave the value itself outside; a value outside its interval explains nothing.
  return { low: Math.min(value, at(-reach)), high: Math.max(value, at(reach)) };
}

/** A sixth of the skewness of the jackknife values. */
function accelerationOf(statistic: Statistic, size: number): number {
  const groups = Math.min(size, MOST_JACKKNIVES);
  const weights = new Uint8Array(size);
  const left = Array.from({ length: groups }, (_, group) => {
    weights.fill(1);
    for (let i = group; i < size; i += groups) weights[i] = 0;
    return statistic(weights);
  }).filter((value) => !Number.isNaN(value));
  const mean = left.reduce((sum, value) => sum + value, 0) / left.length;
  const moment = (power: number) => left.reduce((sum, value) => sum + (mean - value) ** power, 0);
  const spread = moment(2) ** 1.5;
  return spread > 0 ? moment(3) / (6 * spread) : 0;
}

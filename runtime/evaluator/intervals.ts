import { METRICS, type Metric } from './metrics.ts';
import type { RandomBelow } from './random.ts';
import type { Sample } from './sample.ts';

/** A two-sided 95 % interval. */
export interface Interval {
  readonly low: number;
  readonly high: number;
}

/** Two-sided 95 % quantile of the normal distribution. */
const Z = 1.959963984540054;
const TAIL = 0.025;
const RESAMPLES = 2000;

/**
 * Wilson's score interval for a proportion (Wilson 1927), the one that Brown, Cai and DasGupta (2001) recommend. It
 * stays inside [0, 1] and is honest for small samples; with no trials nothing is known.
 */
export function wilsonInterval(successes: number, trials: number): Interval {
  if (trials === 0) return { low: 0, high: 1 };
  const p = successes / trials;
  const scale = 1 + Z ** 2 / trials;
  const centre = (p + Z ** 2 / (2 * trials)) / scale;
  const reach = (Z * Math.sqrt((p * (1 - p)) / trials + Z ** 2 / (4 * trials ** 2))) / scale;
  return { low: Math.max(0, centre - reach), high: Math.min(1, centre + reach) };
}

/**
 * Percentile bootstrap intervals (Efron 1979) of several metrics from the same 2,000 resamples. A resample in which a
 * metric is undefined says nothing about it; a metric undefined in most of them gets the widest interval there is.
 */
export function bootstrapIntervals(
  metrics: readonly Metric[],
  sample: Sample,
  random: RandomBelow,
): ReadonlyMap<Metric, Interval> {
  if (metrics.length === 0) return new Map();
  const values = new Map(metrics.map((metric) => [metric, [] as number[]]));
  const weights = new Uint16Array(sample.size);
  for (let resample = 0; resample < RESAMPLES; resample++) {
    weights.fill(0);
    for (let draw = 0; draw < sample.size; draw++) {
      const example = random(sample.size);
      weights[example] = (weights[example] ?? 0) + 1;
    }
    for (const [metric, found] of values) {
      const value = statisticOf(metric).of(sample, weights);
      if (!Number.isNaN(value)) found.push(value);
    }
  }
  return new Map([...values].map(([metric, found]) => [metric, percentiles(found, statisticOf(metric).supremum)]));
}

function statisticOf(metric: Metric) {
  const definition = METRICS[metric];
  if (definition.kind !== 'statistic') throw new Error(`${metric} is a proportion; use wilsonInterval`);
  return definition;
}

function percentiles(values: number[], supremum: number): Interval {
  if (values.length < RESAMPLES / 2) return { low: 0, high: supremum };
  values.sort((a, b) => a - b);
  const at = (share: number) => values[Math.round(share * (values.length - 1))] ?? Number.NaN;
  return { low: at(TAIL), high: at(1 - TAIL) };
}

import type { Prediction } from '@slipway/crds/contract';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { METRICS, type Metric } from '../metrics.ts';
import { type RandomBelow, randomFromDigest } from '../random.ts';
import { sampleOf } from '../sample.ts';
import { bootstrap } from './bootstrap.ts';
import { meanInterval } from './mean.ts';
import { normalCdf, normalQuantile, studentQuantile } from './normal.ts';
import { pairedDifference } from './paired.ts';
import { wilsonInterval } from './proportion.ts';
import { fewestForQuantile, quantileInterval } from './quantile.ts';
import { rocAucInterval } from './rocAuc.ts';

const randomOf = (seed: number): RandomBelow => randomFromDigest(seed.toString(16).padStart(8, '0').repeat(8));
const uniform = (random: RandomBelow) => random(1 << 30) / (1 << 30);
const binomial = (random: RandomBelow, trials: number, p: number): number =>
  Array.from({ length: trials }, () => (uniform(random) < p ? 1 : 0) as number).reduce((a, b) => a + b, 0);

describe("Wilson's interval", () => {
  it.each([
    // Newcombe (1998), table I.
    [81, 263, 0.2553, 0.3662],
    [15, 148, 0.0624, 0.1605],
    [0, 20, 0, 0.1611],
    [1, 29, 0.0061, 0.1718],
  ])('of %i in %i is as published', (successes, trials, low, high) => {
    const interval = wilsonInterval(successes, trials);
    expect(interval.low).toBeCloseTo(low, 4);
    expect(interval.high).toBeCloseTo(high, 4);
  });

  it('holds the observed share and stays within 0 and 1', () => {
    fc.assert(
      fc.property(fc.nat(5000), fc.nat(5000), (a, b) => {
        const [successes, trials] = [Math.min(a, b), Math.max(a, b, 1)];
        const { low, high } = wilsonInterval(successes, trials);
        expect(low).toBeGreaterThanOrEqual(0);
        expect(high).toBeLessThanOrEqual(1);
        expect(low).toBeLessThanOrEqual(successes / trials + 1e-12);
        expect(high).toBeGreaterThanOrEqual(successes / trials - 1e-12);
      }),
    );
  });

  it('knows nothing from no trials', () => {
    expect(wilsonInterval(0, 0)).toEqual({ low: 0, high: 1 });
  });

  it.each([
    [0.5, 30],
    [0.2, 100],
    [0.02, 400],
  ])('covers a true share of %f in about 95 of 100 samples of %i', (p, trials) => {
    const random = randomOf(trials);
    const runs = 4000;
    let covered = 0;
    for (let run = 0; run < runs; run++) {
      const { low, high } = wilsonInterval(binomial(random, trials, p), trials);
      if (low <= p && p <= high) covered++;
    }
    // Coverage oscillates with p and n by nature; four standard errors of the simulation are 1.4 %.
    expect(covered / runs).toBeGreaterThan(0.925);
    expect(covered / runs).toBeLessThan(0.98);
  });
});

/** Scores of positives lie `shift` above those of negatives, both uniform: the true AUC follows by integration. */
function separated(random: RandomBelow, size: number, shift: number): Prediction[] {
  return Array.from({ length: size }, (_, id) => {
    const label = random(2);
    const score = (uniform(random) + shift * label) / (1 + shift);
    return { id, label, prediction: score > 0.5 ? 1 : 0, score };
  });
}

const bootstrapped = (metric: Metric, predictions: readonly Prediction[], seed: number) => {
  const sample = sampleOf(predictions);
  const { of, widest } = METRICS[metric];
  return bootstrap((weights) => of(sample, weights), sample.size, randomOf(seed), widest);
};

describe('bootstrap intervals', () => {
  it('cover the true area under the curve in about 95 of 100 samples', () => {
    const shift = 0.3;
    const auc = 1 - (1 - shift) ** 2 / 2;
    const runs = 120;
    let covered = 0;
    for (let run = 0; run < runs; run++) {
      const { low, high } = bootstrapped('rocAuc', separated(randomOf(run + 1), 150, shift), 1000 + run);
      if (low <= auc && auc <= high) covered++;
    }
    // Binomial(120, 0.95): fewer than 105 has a chance below one in a thousand.
    expect(covered).toBeGreaterThanOrEqual(105);
    expect(covered).toBeLessThan(runs);
  });

  it('are the same for the same digest and others for another', () => {
    const predictions = separated(randomOf(7), 200, 0.3);
    expect(bootstrapped('brier', predictions, 1)).toEqual(bootstrapped('brier', predictions, 1));
    expect(bootstrapped('brier', predictions, 1)).not.toEqual(bootstrapped('brier', predictions, 2));
  });

  it('know nothing where the metric is undefined', () => {
    const one = [{ id: 1, label: 1, prediction: 1, score: 0.9 }];
    expect(bootstrapped('rocAuc', one, 1)).toEqual({ value: Number.NaN, low: 0, high: 1 });
  });

  it('of a mean come near those of the normal distribution', () => {
    const terms = Float64Array.from({ length: 400 }, (_, i) => Math.sin(i * 1.7));
    const mean = (weights: ArrayLike<number>) =>
      terms.reduce((sum, term, i) => sum + term * (weights[i] ?? 0), 0) / 400;
    const { value, low, high } = bootstrap(mean, 400, randomOf(3), { low: -1, high: 1 });
    const error = Math.sqrt(terms.reduce((sum, term) => sum + (term - value) ** 2, 0) / 399 / 400);
    expect((high - low) / 2 / error).toBeCloseTo(1.97, 1);
  });
});

describe('intervals of a mean', () => {
  const skewed = (size: number) => {
    const random = randomOf(size);
    return Float64Array.from({ length: size }, () => (-Math.log(1 - uniform(random))) ** 2);
  };
  const widest = { low: 0, high: Number.MAX_VALUE };

  it('reach out on the side of rare large terms', () => {
    const terms = skewed(60);
    const { value, low, high } = meanInterval(terms, randomOf(1), widest);
    expect(high - value).toBeGreaterThan(1.5 * (value - low));
  });

  it('of a large sample are the same without resampling', () => {
    const [less, more] = [skewed(19_999), skewed(20_000)].map((terms) => {
      const { low, high } = meanInterval(terms.map(Math.sqrt), randomOf(2), widest);
      return high - low;
    }) as [number, number];
    expect(more / less).toBeGreaterThan(0.9);
    expect(more / less).toBeLessThan(1.1);
  });

  it('of equal terms are a point', () => {
    expect(meanInterval(new Float64Array(40).fill(0.125), randomOf(1), widest)).toEqual({
      value: 0.125,
      low: 0.125,
      high: 0.125,
    });
  });
});

describe('numbers from a digest', () => {
  it('fall evenly below the bound', () => {
    const random = randomOf(42);
    const counts = new Array<number>(10).fill(0);
    for (let i = 0; i < 100_000; i++) {
      const drawn = random(10);
      counts[drawn] = (counts[drawn] ?? 0) + 1;
    }
    const chiSquare = counts.reduce((sum, count) => sum + (count - 10_000) ** 2 / 10_000, 0);
    // 99.9 % point of chi-square with nine degrees of freedom.
    expect(chiSquare).toBeLessThan(27.9);
  });
});

describe('the score interval of paired shares', () => {
  it('is as Tango (1998) and Fagerland, Lydersen and Laake (2014) have it', () => {
    // Airway responsiveness before and after: of 21 children one got better and seven got worse.
    const { value, low, high } = pairedDifference({ ours: 1, theirs: 7, pairs: 21 });
    expect(value).toBeCloseTo(-6 / 21, 12);
    expect(low).toBeCloseTo(-0.517, 3);
    expect(high).toBeCloseTo(-0.026, 3);
  });

  it('is symmetric, and open where no pair differs', () => {
    const one = pairedDifference({ ours: 3, theirs: 9, pairs: 100 });
    const other = pairedDifference({ ours: 9, theirs: 3, pairs: 100 });
    expect([one.low, one.high]).toEqual([-other.high, -other.low].map((bound) => expect.closeTo(bound, 9)));
    const same = pairedDifference({ ours: 0, theirs: 0, pairs: 200 });
    expect(same.low).toBeCloseTo(-(1.96 ** 2) / (200 + 1.96 ** 2), 3);
    expect(same.high).toBeCloseTo(-same.low, 9);
  });
});

describe('the interval of a quantile', () => {
  const values = Float64Array.from({ length: 100 }, (_, i) => i + 1);
  it('is made of order statistics', () => {
    // Conover (1999), table of the binomial: 40 and 61 of 100 for the median.
    expect(quantileInterval(values, 0.5)).toEqual({ value: 50, low: 40, high: 61 });
  });

  it('has no upper bound where too few values are there to have one', () => {
    expect(quantileInterval(values, 0.99)).toMatchObject({ value: 99, high: Number.POSITIVE_INFINITY });
    expect(fewestForQuantile(0.99)).toBe(368);
    const enough = Float64Array.from({ length: 368 }, (_, i) => i);
    expect(quantileInterval(enough, 0.99).high).toBe(367);
  });

  it('covers the quantile of any distribution in 95 of 100 samples at least', () => {
    const random = randomOf(11);
    const runs = 1500;
    let covered = 0;
    for (let run = 0; run < runs; run++) {
      const sample = Float64Array.from({ length: 300 }, () => -Math.log(1 - uniform(random))).sort();
      const { low, high } = quantileInterval(sample, 0.95);
      if (low <= -Math.log(0.05) && -Math.log(0.05) <= high) covered++;
    }
    expect(covered / runs).toBeGreaterThan(0.94);
  });
});

describe('the area under the curve', () => {
  it('of a perfect separation is not known to be perfect', () => {
    const { low, high } = rocAucInterval(1, 25, 25);
    expect(high).toBe(1);
    expect(low).toBeGreaterThan(0.8);
    expect(low).toBeLessThan(0.95);
  });

  it('is unknown with one class only', () => {
    expect(rocAucInterval(Number.NaN, 0, 9)).toEqual({ value: Number.NaN, low: 0, high: 1 });
  });
});

describe('the normal distribution', () => {
  it('is as tables have it, there and back', () => {
    expect(normalCdf(1.96)).toBeCloseTo(0.9750021, 6);
    expect(normalQuantile(0.975)).toBeCloseTo(1.959963985, 8);
    expect(studentQuantile(1.959963985, 10)).toBeCloseTo(2.228139, 3);
    fc.assert(
      fc.property(fc.double({ min: -5, max: 5, noNaN: true }), (x) => {
        expect(normalQuantile(normalCdf(x))).toBeCloseTo(x, 1);
      }),
    );
  });
});

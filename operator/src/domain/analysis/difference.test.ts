import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Counts } from './confidenceSequence.ts';
import { exceeds, lowestDifference } from './difference.ts';
import { fixedSampleSize, requestsUntilWorse } from './simulation/power.ts';
import { watchPair } from './simulation/rollouts.ts';
import { PROMISED } from './simulation/traffic.ts';
import { median } from './simulation.ts';

const counts = fc
  .record({ total: fc.integer({ min: 1, max: 100_000 }), share: fc.double({ min: 0, max: 1, noNaN: true }) })
  .map(({ total, share }): Counts => ({ total, hits: Math.round(total * share) }));
const alpha = fc.constantFrom(0.05, 0.001, 1e-5);
const share = ({ hits, total }: Counts): number => hits / total;

describe('the lower bound of a difference', () => {
  test('lies between −1 and what was seen, and falls with alpha', () => {
    fc.assert(
      fc.property(counts, counts, alpha, (a, b, level) => {
        const low = lowestDifference(a, b, level);
        expect(low).toBeGreaterThanOrEqual(-1);
        expect(low).toBeLessThanOrEqual(share(a) - share(b));
        expect(lowestDifference(a, b, level / 10)).toBeLessThanOrEqual(low + 1e-9);
      }),
    );
  });

  test('is the margin from which a difference is no longer rejected', () => {
    fc.assert(
      fc.property(counts, counts, alpha, (a, b, level) => {
        const low = lowestDifference(a, b, level);
        const step = 1e-3 * (share(a) - share(b) - low) + 1e-9;
        if (low > -0.99) expect(exceeds(a, b, low - step, level)).toBe(true);
        expect(exceeds(a, b, low + step, level)).toBe(false);
      }),
    );
  });

  test('is the same when hits and misses swap with the arms: a share that is right or wrong is one question', () => {
    const missed = ({ hits, total }: Counts): Counts => ({ hits: total - hits, total });
    fc.assert(
      fc.property(counts, counts, (a, b) => {
        const [one, other] = [lowestDifference(a, b, 0.01), lowestDifference(missed(b), missed(a), 0.01)];
        expect(Math.abs(one - other)).toBeLessThan(2e-3 * (share(a) - share(b) - one) + 1e-6);
      }),
    );
  });

  test.each([
    ['neither seen', { hits: 0, total: 0 }, { hits: 0, total: 0 }],
    ['the one unseen', { hits: 0, total: 0 }, { hits: 5, total: 10 }],
    ['the other unseen', { hits: 5, total: 10 }, { hits: 0, total: 0 }],
  ])('%s: nothing is known', (_sentence, a, b) => {
    expect(lowestDifference(a, b, 0.05)).toBe(-1);
    expect(exceeds(a, b, -0.5, 0.05)).toBe(false);
  });
});

describe('flagger#739, kserve#335: a candidate that is worse than stable', { timeout: 60_000 }, () => {
  test.each([
    [0.001, 0.3, 0, 0.05],
    [0.01, 0.03, 0, 0.5],
    [0.05, 0.1, 0, 0.1],
    [0.2, 0.25, 0, 0.5],
    [0.01, 0.05, 0.005, 0.1],
    [0.01, 0.03, 0, 0.9],
  ])(
    'stable %d, candidate %d, margin %d, weight %d: found within 2.5 times the requests of a fixed sample',
    (stable, candidate, margin, weight) => {
      for (const alphaHere of [0.05, 0.001]) {
        const question = { stable, candidate, margin, weight, alpha: alphaHere };
        const fixed = fixedSampleSize(question);
        const needed = Array.from({ length: 40 }, (_, seed) => requestsUntilWorse(question, fixed, seed + 1));
        expect(median(needed)).toBeLessThan(2.5 * fixed);
        expect(needed.reduce((a, b) => a + b, 0) / needed.length).toBeLessThan(2.5 * fixed);
      }
    },
  );
});

describe('kserve#335, kayenta#780: a candidate that is no worse than stable, looked at each second', {
  timeout: 60_000,
}, () => {
  const weights = {
    'a canary of 5 %': () => 0.05,
    halves: () => 0.5,
    'weights that rise': (second: number) => [0.01, 0.05, 0.25, 0.5][Math.floor(second / 15)] ?? 0.9,
    'first all of stable, then all of the candidate': (second: number) => (second < 30 ? 0.01 : 0.99),
  };
  const cases = Object.entries(PROMISED).flatMap(([name, traffic]) =>
    Object.entries(weights).map(([split, weight]) => [name, split, traffic, weight] as const),
  );
  test.each(cases)('%s, %s: blamed in at most alpha of the rollouts', (_name, _split, traffic, weight) => {
    const runs = 150;
    const [rate, level] = [0.05, 0.05];
    const blamed = Array.from({ length: runs }, (_, seed) =>
      watchPair({
        traffic,
        candidate: rate,
        stable: rate,
        margin: 0,
        weight,
        perSecond: 60,
        seconds: 60,
        alpha: level,
        seed: seed + 1,
      }),
    ).filter(({ verdict }) => verdict === 'Fail').length;
    expect(blamed).toBeLessThanOrEqual(runs * level + 3 * Math.sqrt(runs * level * (1 - level)));
  });
});

describe('kayenta#780: where both versions fail often, a stable version that served for ten minutes', {
  timeout: 60_000,
}, () => {
  test.each([
    [0.05, 0.3, 8],
    [0.2, 0.5, 9],
  ])('%d, candidate %d: found worse within %d s in the median', (stable, candidate, within) => {
    const seconds = Array.from(
      { length: 40 },
      (_, seed) =>
        watchPair({
          traffic: PROMISED.independent,
          stable,
          candidate,
          margin: 0,
          weight: () => 0.5,
          perSecond: 100,
          seconds: 60,
          alpha: 0.001,
          seed: seed + 1,
          unaligned: true,
          history: 600,
        }).second,
    );
    expect(median(seconds)).toBeLessThan(within);
  });
});

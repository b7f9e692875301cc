import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Counts, confidenceSequence, excludes } from './confidenceSequence.ts';
import { logGamma } from './logGamma.ts';
import { coin, median, mulberry32 } from './simulation.ts';

describe('logGamma', () => {
  test.each([
    [1, 0],
    [2, 0],
    [0.5, Math.log(Math.sqrt(Math.PI))],
    [6, Math.log(120)],
    [171, 706.573062245787],
    [1e6, 12815504.569147611],
  ])('of %d is %d', (x, want) => expect(logGamma(x)).toBeCloseTo(want, 9));

  test('meets its recurrence at every size', () => {
    fc.assert(
      fc.property(fc.double({ min: 0.01, max: 1e5, noNaN: true }), (x) => {
        expect(logGamma(x + 1) - logGamma(x)).toBeCloseTo(Math.log(x), 8);
      }),
    );
  });
});

const counts = fc
  .record({ total: fc.integer({ min: 1, max: 1_000_000 }), share: fc.double({ min: 0, max: 1, noNaN: true }) })
  .map(({ total, share }): Counts => ({ total, hits: Math.round(total * share) }));
const alpha = fc.constantFrom(0.2, 0.05, 0.001, 1e-5);

describe('a confidence sequence', () => {
  test('knows nothing before the first request', () => {
    expect(confidenceSequence({ hits: 0, total: 0 }, 0.05)).toEqual({ low: 0, high: 1 });
  });

  test('contains the observed rate and stays within 0 and 1', () => {
    fc.assert(
      fc.property(counts, alpha, (c, a) => {
        const { low, high } = confidenceSequence(c, a);
        expect(0 <= low && low <= c.hits / c.total && c.hits / c.total <= high && high <= 1).toBe(true);
      }),
    );
  });

  test('ends where the density crosses alpha', () => {
    fc.assert(
      fc.property(counts, alpha, (c, a) => {
        const { low, high } = confidenceSequence(c, a);
        // A step beyond each end and one short of it, small beside the interval and beside the room outside it.
        const step = (room: number): number => Math.min((high - low) / 1000, room / 2);
        const [below, above] = [step(low), step(1 - high)];
        if (low > 1e-9) expect([excludes(c, a, low - below), excludes(c, a, low + below)]).toEqual([true, false]);
        if (high < 1 - 1e-9)
          expect([excludes(c, a, high + above), excludes(c, a, high - above)]).toEqual([true, false]);
      }),
    );
  });

  test('is wider at a smaller alpha and when the same rate rests on fewer requests', () => {
    fc.assert(
      fc.property(counts, (c) => {
        const wide = confidenceSequence(c, 0.001);
        const narrow = confidenceSequence(c, 0.05);
        expect(wide.low <= narrow.low && narrow.high <= wide.high).toBe(true);
        const halved = confidenceSequence({ hits: c.hits / 2, total: c.total / 2 }, 0.001);
        if (c.total > 100) expect(halved.low <= wide.low + 1e-12 && wide.high <= halved.high + 1e-12).toBe(true);
      }),
    );
  });

  test('mirrors itself when hits and misses swap', () => {
    fc.assert(
      fc.property(counts, alpha, (c, a) => {
        const { low, high } = confidenceSequence(c, a);
        const other = confidenceSequence({ hits: c.total - c.hits, total: c.total }, a);
        expect(Math.abs(1 - other.high - low)).toBeLessThan(1e-9);
        expect(Math.abs(1 - other.low - high)).toBeLessThan(1e-9);
      }),
    );
  });
});

/** Requests until the sequence leaves the limit out, or the horizon. */
function requestsUntilExcluded(rate: number, limit: number, level: number, horizon: number, seed: number): number {
  const flip = coin(mulberry32(seed), rate);
  let hits = 0;
  for (let total = 1; total <= horizon; total += 1) {
    hits += flip();
    if (hits / total > limit && excludes({ hits, total }, level, limit)) return total;
  }
  return horizon + 1;
}

const RUNS = 2000;
const runs = (rate: number, limit: number, level: number, horizon: number): number[] =>
  Array.from({ length: RUNS }, (_, seed) => requestsUntilExcluded(rate, limit, level, horizon, seed + 1));

describe('looked at after every request, limit 1 %', { timeout: 60_000 }, () => {
  test.each([
    [0.3, 9],
    [0.1, 61],
    [0.05, 250],
    [0.03, 770],
  ])('a candidate failing %d of its requests is failed at alpha 0.001 after %d in the median', (rate, want) => {
    const measured = median(runs(rate, 0.01, 0.001, 5000));
    expect(measured).toBeGreaterThan(want * 0.85);
    expect(measured).toBeLessThan(want * 1.15);
  });

  test.each([
    [984, 0.01],
    [158, 0.05],
  ])('%d clean requests pass a limit of %d at alpha 0.05, and one fewer does not', (total, limit) => {
    expect(excludes({ hits: 0, total }, 0.05, limit)).toBe(true);
    expect(excludes({ hits: 0, total: total - 1 }, 0.05, limit)).toBe(false);
  });

  test.each([0.05, 0.001])(
    'a candidate at the limit is failed by mistake in at most alpha %d of the rollouts',
    (level) => {
      const falseFails = runs(0.01, 0.01, level, 1500).filter((n) => n <= 1500).length;
      // Three standard deviations over alpha: a sequence that is valid misses this once in a thousand seeds.
      expect(falseFails).toBeLessThanOrEqual(RUNS * level + 3 * Math.sqrt(RUNS * level * (1 - level)));
    },
  );
});

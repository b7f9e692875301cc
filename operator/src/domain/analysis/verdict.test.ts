import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { designEffect, errorCounts } from './designEffect.ts';
import { coin, mulberry32 } from './simulation.ts';
import { noRequests, plus, requestsOf, since, type Tally } from './tally.ts';
import { judgeDifference, judgeRate, requestsToVerdict } from './verdict.ts';

/** Thousands of rollouts take seconds where the machine is busy. */
const SLOW = { timeout: 60_000 };
const risk = { fail: 0.001, pass: 0.05 };

describe('a rate held against a limit of 1 %', () => {
  test.each([
    ['no request at all needs more', { hits: 0, total: 0 }, 'NeedMore'],
    ['984 clean requests pass', { hits: 0, total: 984 }, 'Pass'],
    ['900 clean requests need more', { hits: 0, total: 900 }, 'NeedMore'],
    ['4 failures of 5 fail', { hits: 4, total: 5 }, 'Fail'],
    ['one failure of 20 needs more', { hits: 1, total: 20 }, 'NeedMore'],
    ['200 failures of 10000 fail', { hits: 200, total: 10_000 }, 'Fail'],
  ] as const)('%s', (_sentence, counts, verdict) => expect(judgeRate(counts, 0.01, risk).verdict).toBe(verdict));

  test('tells the requests it still needs', () => {
    expect(requestsToVerdict({ hits: 0, total: 500 }, 0.01, risk)).toBeGreaterThanOrEqual(484);
    expect(requestsToVerdict({ hits: 0, total: 500 }, 0.01, risk)).toBeLessThan(500);
    expect(requestsToVerdict({ hits: 10, total: 1000 }, 0.01, risk)).toBeUndefined();
  });

  test('is decided after about the requests it asked for', () => {
    fc.assert(
      fc.property(fc.integer({ min: 10, max: 5000 }), fc.double({ min: 0, max: 0.2, noNaN: true }), (total, rate) => {
        const more = requestsToVerdict({ hits: rate * total, total }, 0.01, risk);
        fc.pre(more !== undefined);
        const then = total + (more ?? 0);
        expect(judgeRate({ hits: rate * then, total: then }, 0.01, risk).verdict).not.toBe('NeedMore');
      }),
    );
  });
});

describe('a candidate held against stable, worse by at most 0.5 points', () => {
  test.each([
    ['equal and much seen: pass', { hits: 50, total: 50_000 }, { hits: 50, total: 50_000 }, 'Pass'],
    [
      'equally bad is no fault of the candidate',
      { hits: 3000, total: 30_000 },
      { hits: 3000, total: 30_000 },
      'NeedMore',
    ],
    ['far worse: fail', { hits: 60, total: 200 }, { hits: 2, total: 4000 }, 'Fail'],
    ['stable unseen: need more', { hits: 60, total: 200 }, { hits: 0, total: 0 }, 'NeedMore'],
  ] as const)('%s', (_sentence, candidate, stable, verdict) =>
    expect(judgeDifference(candidate, stable, 0.005, risk).verdict).toBe(verdict),
  );

  test(
    'fails a candidate that is no worse in at most alpha of 2,000 rollouts looked at every 25 requests',
    SLOW,
    () => {
      const level = { fail: 0.05, pass: 0.05 };
      const falseFails = Array.from({ length: 2000 }, (_, seed) => {
        const flip = coin(mulberry32(seed + 1), 0.05);
        const [candidate, stable] = [
          { hits: 0, total: 0 },
          { hits: 0, total: 0 },
        ];
        for (let look = 0; look < 12; look += 1) {
          for (const side of [candidate, stable]) {
            for (let i = 0; i < 25; i += 1) side.hits += flip();
            side.total += 25;
          }
          if (judgeDifference(candidate, stable, 0, level).verdict === 'Fail') return true;
        }
        return false;
      }).filter(Boolean).length;
      expect(falseFails).toBeLessThanOrEqual(100);
    },
  );
});

/** Seconds of traffic in which the failure rate itself varies: `burst` of the seconds fail at ten times the rest. */
function traffic(seconds: number, perSecond: number, rate: number, burst: number, seed: number): Tally {
  const uniform = mulberry32(seed);
  const quiet = rate / (1 - burst + 10 * burst);
  return Array.from({ length: seconds }).reduce<Tally>((tally) => {
    const flip = coin(uniform, burst > 0 && uniform() < burst ? 10 * quiet : quiet);
    const failed = Array.from({ length: perSecond }, flip).reduce((a, b) => a + b, 0);
    return plus(tally, {
      ...noRequests,
      ok: perSecond - failed,
      serverError: failed,
      batchSeconds: 1,
      failedSquaredOverServed: (failed * failed) / perSecond,
    });
  }, noRequests);
}

describe('the design effect', () => {
  test('of independent requests is near 1, and never below', () => {
    const effects = Array.from({ length: 200 }, (_, seed) => designEffect(traffic(100, 50, 0.05, 0, seed + 1)));
    expect(Math.min(...effects)).toBe(1);
    expect(effects.reduce((a, b) => a + b, 0) / effects.length).toBeLessThan(1.15);
  });

  test('of bursts is what their variance says', () => {
    const effects = Array.from({ length: 50 }, (_, seed) => designEffect(traffic(300, 100, 0.05, 0.1, seed + 1)));
    expect(effects.reduce((a, b) => a + b, 0) / effects.length).toBeGreaterThan(3);
  });

  test('without a failure, or in the first second, is 1', () => {
    expect(designEffect(noRequests)).toBe(1);
    expect(designEffect({ ...noRequests, ok: 10, batchSeconds: 5 })).toBe(1);
    expect(designEffect({ ...noRequests, serverError: 10, batchSeconds: 1, failedSquaredOverServed: 10 })).toBe(1);
  });

  test('keeps false alarms of bursty traffic at the limit within alpha', SLOW, () => {
    const level = { fail: 0.05, pass: 0.05 };
    const falseFails = Array.from({ length: 500 }, (_, seed) => {
      const seconds = Array.from({ length: 60 }, (_, second) => traffic(1, 40, 0.05, 0.1, seed * 1000 + second + 1));
      let tally = noRequests;
      return seconds.some((batch) => {
        tally = plus(tally, batch);
        return tally.batchSeconds >= 10 && judgeRate(errorCounts(tally), 0.05, level).verdict === 'Fail';
      });
    }).filter(Boolean).length;
    expect(falseFails / 500).toBeLessThan(0.08);
  });
});

describe('a tally', () => {
  const tally = fc.record({
    ok: fc.nat(1e6),
    clientError: fc.nat(1e6),
    serverError: fc.nat(1e6),
    shed: fc.nat(1e6),
    batchSeconds: fc.nat(1e4),
    failedSquaredOverServed: fc.nat(1e6),
  });

  test('since an earlier one is what was added', () => {
    fc.assert(
      fc.property(tally, tally, (before, added) => {
        expect(since(plus(before, added), before)).toEqual(added);
      }),
    );
  });

  test('is never negative, whatever a faulty pod reports', () => {
    fc.assert(
      fc.property(tally, tally, (a, b) => {
        expect(requestsOf(since(a, b))).toBeGreaterThanOrEqual(0);
      }),
    );
  });

  test('counts a refusal under load as an error that the client saw', () => {
    expect(errorCounts({ ...noRequests, ok: 90, clientError: 5, serverError: 3, shed: 2 })).toEqual({
      hits: 5,
      total: 100,
    });
  });
});

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { judgeDifference, judgeRate, requestsToVerdict } from './verdict.ts';

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
      'equally bad, at 10 %, is no fault of the candidate',
      { hits: 3000, total: 30_000 },
      { hits: 3000, total: 30_000 },
      'NeedMore',
    ],
    ['far worse: fail', { hits: 60, total: 200 }, { hits: 2, total: 4000 }, 'Fail'],
    ['far better: pass', { hits: 2, total: 4000 }, { hits: 60, total: 200 }, 'Pass'],
    ['worse by less than the margin: pass', { hits: 1300, total: 100_000 }, { hits: 1000, total: 100_000 }, 'Pass'],
    ['stable unseen: need more', { hits: 60, total: 200 }, { hits: 0, total: 0 }, 'NeedMore'],
    ['candidate unseen: need more', { hits: 0, total: 0 }, { hits: 60, total: 200 }, 'NeedMore'],
  ] as const)('%s', (_sentence, candidate, stable, verdict) =>
    expect(judgeDifference(candidate, stable, 0.005, risk).verdict).toBe(verdict),
  );

  test('shows the bounds that decide, and what was seen', () => {
    const judgement = judgeDifference({ hits: 60, total: 200 }, { hits: 2, total: 4000 }, 0.005, risk);
    expect(judgement).toMatchObject({ verdict: 'Fail', limit: 0.005, n: 200 });
    expect(judgement.rate).toBeCloseTo(0.2995, 6);
    expect(judgement.low).toBeGreaterThan(0.15);
    expect(judgement.high).toBeLessThan(0.45);
  });
});

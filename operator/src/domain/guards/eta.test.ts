import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { judgeDifference, judgeRate } from '../analysis/verdict.ts';
import { untilDifferenceIsJudged, untilRateIsJudged } from './eta.ts';

const risk = { fail: 0.001, pass: 0.05 };
const MINUTE = 60;

describe('the time to a verdict', () => {
  test('of clean requests is the time that as many take as pass', () => {
    // 984 pass; 492 came in a minute.
    expect(untilRateIsJudged({ hits: 0, total: 492 }, 0.01, risk, MINUTE)).toBeCloseTo(60_000, -4);
  });

  test('is not told of nothing, nor of a rate on its limit', () => {
    expect(untilRateIsJudged({ hits: 0, total: 0 }, 0.01, risk, MINUTE)).toBeUndefined();
    expect(untilRateIsJudged({ hits: 10, total: 1000 }, 0.01, risk, MINUTE)).toBeUndefined();
    expect(untilRateIsJudged({ hits: 0, total: 100 }, 0.01, risk, 0)).toBeUndefined();
  });

  const counts = fc
    .record({ total: fc.integer({ min: 50, max: 5000 }), hits: fc.nat(500) })
    .map(({ total, hits }) => ({ hits: Math.min(hits, total), total }));
  const times = ({ hits, total }: { hits: number; total: number }, factor: number) => ({
    hits: hits * factor,
    total: total * factor,
  });

  test('is when a rate is judged, and not much too late', () => {
    fc.assert(
      fc.property(counts, (seen) => {
        fc.pre(judgeRate(seen, 0.02, risk).verdict === 'NeedMore');
        const ms = untilRateIsJudged(seen, 0.02, risk, MINUTE);
        fc.pre(ms !== undefined);
        const growth = (ms ?? 0) / 60_000;
        expect(judgeRate(times(seen, 1 + growth * 1.01), 0.02, risk).verdict).not.toBe('NeedMore');
        expect(judgeRate(times(seen, 1 + growth * 0.95), 0.02, risk).verdict).toBe('NeedMore');
      }),
    );
  });

  test('is when a difference is judged, and not much too late', () => {
    fc.assert(
      fc.property(counts, counts, fc.boolean(), (candidate, stable, bothGrow) => {
        fc.pre(judgeDifference(candidate, stable, 0.02, risk).verdict === 'NeedMore');
        const ms = untilDifferenceIsJudged({ candidate, stable, margin: 0.02, bothGrow }, risk, MINUTE);
        fc.pre(ms !== undefined);
        const growth = (ms ?? 0) / 60_000;
        const then = (part: number) =>
          judgeDifference(
            times(candidate, 1 + growth * part),
            bothGrow ? times(stable, 1 + growth * part) : stable,
            0.02,
            risk,
          );
        expect(then(1.05).verdict).not.toBe('NeedMore');
        expect(then(0.9).verdict).toBe('NeedMore');
      }),
      { numRuns: 50 },
    );
  });
});

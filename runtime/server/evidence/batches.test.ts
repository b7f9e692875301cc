import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { BATCH_WORDS, batchesOf, countInBatch } from './batches.ts';

const words = () => new Float64Array(BATCH_WORDS);

describe('the design effect from the batch counters', () => {
  const second = fc
    .integer({ min: 1, max: 30 })
    .chain((served) => fc.record({ served: fc.constant(served), failed: fc.integer({ min: 0, max: served }) }));
  const count = (seconds: readonly { served: number; failed: number }[]) => {
    const counters = words();
    seconds.forEach(({ served, failed }, i) => {
      for (let k = 0; k < served; k++) countInBatch(counters, k < failed, 1_700_000_000_000 + i * 1000 + k * 30);
    });
    return batchesOf(counters);
  };

  test('is the variance of the per-second failures over that of a binomial, by its definition', () => {
    fc.assert(
      fc.property(fc.array(second, { minLength: 2, maxLength: 50 }), (seconds) => {
        const failed = seconds.reduce((sum, s) => sum + s.failed, 0);
        const served = seconds.reduce((sum, s) => sum + s.served, 0);
        const p = failed / served;
        fc.pre(p > 0 && p < 1);
        const scale = (seconds.length - 1) * p * (1 - p);
        const byDefinition = seconds.reduce((sum, s) => sum + (s.failed - s.served * p) ** 2 / s.served, 0) / scale;
        const { seconds: n, failedSquaredOverServed } = count(seconds);
        expect(n).toBe(seconds.length);
        expect((failedSquaredOverServed - failed ** 2 / served) / scale).toBeCloseTo(byDefinition, 8);
      }),
    );
  });

  test('seconds without traffic are no batches', () => {
    const counters = words();
    expect(batchesOf(counters)).toEqual({ seconds: 0, failedSquaredOverServed: 0 });
    countInBatch(counters, true, 1000);
    countInBatch(counters, false, 1999);
    countInBatch(counters, true, 60_000);
    expect(batchesOf(counters)).toEqual({ seconds: 2, failedSquaredOverServed: 1 / 2 + 1 });
  });

  test('a reading in mid-second agrees with the totals and changes nothing', () => {
    const counters = words();
    countInBatch(counters, true, 1000);
    expect(batchesOf(counters)).toEqual({ seconds: 1, failedSquaredOverServed: 1 });
    expect(batchesOf(counters)).toEqual({ seconds: 1, failedSquaredOverServed: 1 });
    countInBatch(counters, false, 1001);
    expect(batchesOf(counters)).toEqual({ seconds: 1, failedSquaredOverServed: 0.5 });
  });
});

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { RateLimit } from './rateLimit.ts';

const RATE = { requestsPerSecond: 10, burst: 3 };

test('a burst passes at once, then one request an interval, and the wait says when', () => {
  const limit = new RateLimit(RATE);
  expect([0, 0, 0, 0, 50, 100, 100].map((now) => limit.take('a', now))).toEqual([0, 0, 0, 100, 50, 0, 100]);
});

test('a caller who waited has its burst again, and no more than that', () => {
  const limit = new RateLimit(RATE);
  for (let i = 0; i < 3; i++) limit.take('a', 0);
  expect([1, 2, 3, 4].map(() => limit.take('a', 60_000))).toEqual([0, 0, 0, 100]);
});

test('a refused request costs nothing: whoever keeps asking is let in no later', () => {
  const limit = new RateLimit({ requestsPerSecond: 1, burst: 1 });
  limit.take('a', 0);
  for (let now = 1; now < 1000; now++) expect(limit.take('a', now)).toBeGreaterThan(0);
  expect(limit.take('a', 1000)).toBe(0);
});

test('one caller does not spend the rate of another', () => {
  const limit = new RateLimit({ requestsPerSecond: 1, burst: 1 });
  expect([limit.take('a', 0), limit.take('b', 0), limit.take('a', 0)]).toEqual([0, 0, 1000]);
});

test('in no window of time pass more than the burst and the steady rate', () => {
  const gaps = fc.array(fc.integer({ min: 0, max: 400 }), { maxLength: 60 });
  const rates = fc.record({
    requestsPerSecond: fc.integer({ min: 1, max: 50 }),
    burst: fc.integer({ min: 1, max: 8 }),
  });
  fc.assert(
    fc.property(gaps, rates, (steps, rate) => {
      const limit = new RateLimit(rate);
      let now = 0;
      const passed: number[] = [];
      for (const step of steps) {
        now += step;
        if (limit.take('a', now) === 0) passed.push(now);
      }
      passed.forEach((from, i) => {
        passed.slice(i).forEach((to, n) => {
          expect(n + 1).toBeLessThanOrEqual(rate.burst + ((to - from) / 1000) * rate.requestsPerSecond + 1e-6);
        });
      });
    }),
  );
});

test('a flood of new callers never grows the table; they share one rate and the known ones keep theirs', () => {
  const limit = new RateLimit({ requestsPerSecond: 1, burst: 2 }, 100);
  for (let i = 0; i < 100; i++) limit.take(`known ${i}`, 0);
  const waits = Array.from({ length: 10_000 }, (_, i) => limit.take(`new ${i}`, 1));
  expect(limit.size).toBe(101);
  expect(waits.filter((wait) => wait === 0)).toHaveLength(2);
  expect(limit.take('known 7', 1)).toBe(0);
});

test('callers with a full bucket are forgotten to make room', () => {
  const limit = new RateLimit({ requestsPerSecond: 1, burst: 1 }, 2);
  limit.take('a', 0);
  limit.take('b', 900);
  expect(limit.take('c', 1500)).toBe(0);
  expect([limit.size, limit.take('b', 1500)]).toEqual([2, 400]);
});

import { describe, expect, test } from 'vitest';
import { sharedFault } from './sharedFault.ts';
import { watchFault } from './simulation/rollouts.ts';
import { median } from './simulation.ts';

const risk = { fail: 0.001, pass: 0.05 };

describe('a fault, limit 1 %', () => {
  test.each([
    ['both fail alike: shared', { hits: 30, total: 100 }, { hits: 300, total: 1000 }, true],
    ['stable is well: not shared', { hits: 30, total: 100 }, { hits: 1, total: 1000 }, false],
    ['both fail, the candidate far more: not shared', { hits: 90, total: 100 }, { hits: 50, total: 1000 }, false],
    ['the candidate fails less: shared', { hits: 5, total: 100 }, { hits: 300, total: 1000 }, true],
    ['stable has had three requests: nobody can tell yet', { hits: 5, total: 30 }, { hits: 0, total: 3 }, true],
    ['stable gets no requests: nobody else to blame', { hits: 30, total: 100 }, { hits: 0, total: 0 }, false],
    ['stable gets next to none: it is not waited for', { hits: 300, total: 1000 }, { hits: 0, total: 10 }, false],
  ] as const)('%s', (_sentence, candidate, stable, shared) =>
    expect(sharedFault(candidate, stable, 0.01, risk)).toBe(shared),
  );
});

describe('simulated, 100 requests/s', { timeout: 60_000 }, () => {
  const runs = 100;
  const rollouts = (weight: number, upstream: number, own: number) =>
    Array.from({ length: runs }, (_, seed) =>
      watchFault({ upstream, own, begins: 0, weight, perSecond: 100, seconds: 15, limit: 0.01, risk, seed: seed + 1 }),
    );

  test.each([0.05, 0.5, 0.9].flatMap((weight) => [0.05, 0.2, 0.5].map((upstream) => [weight, upstream] as const)))(
    'weight %d: the candidate is not blamed for an upstream fault of %d that would fail it alone',
    (weight, upstream) => {
      const seen = rollouts(weight, upstream, 0);
      expect(seen.some(({ failed }) => failed !== undefined)).toBe(true);
      expect(seen.filter(({ blamed }) => blamed !== undefined).length).toBeLessThanOrEqual(runs * 0.03);
    },
  );

  test.each([
    [0.05, 2],
    [0.5, 2],
    [0.9, 3],
  ])(
    'weight %d: its own fault of 30 %% is blamed on it at most %d s later than the limit alone would',
    (weight, later) => {
      const seen = rollouts(weight, 0, 0.3);
      expect(seen.every(({ blamed }) => blamed !== undefined)).toBe(true);
      expect(median(seen.map(({ failed = 0, blamed = 99 }) => blamed - failed))).toBeLessThanOrEqual(later);
    },
  );
});

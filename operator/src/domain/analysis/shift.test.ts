import { describe, expect, test } from 'vitest';
import { judgeShift, lookShare } from './shift.ts';
import { mulberry32 } from './simulation.ts';

const risk = { fail: 0.001, pass: 0.05 };
const flat = (size: number) => Array.from({ length: 10 }, () => size / 10);
const tilted = (size: number) => Array.from({ length: 10 }, (_, i) => (i < 5 ? 0.04 : 0.16) * size);

describe('the shares of the looks', () => {
  test('add up to 1', () => {
    const sum = Array.from({ length: 100_000 }, (_, i) => lookShare(i + 1)).reduce((a, b) => a + b, 0);
    expect(sum).toBeLessThan(1);
    expect(sum).toBeGreaterThan(0.9999);
  });
});

describe('a shift of predictions, threshold 0.2', () => {
  test.each([
    ['equal and much seen: pass', flat(10_000), flat(10_000), 1, 'Pass'],
    ['equal and little seen: need more', flat(60), flat(60), 1, 'NeedMore'],
    ['far apart: fail', tilted(1000), flat(1000), 1, 'Fail'],
    ['far apart and hardly anything seen: need more', tilted(20), flat(20), 1, 'NeedMore'],
    [
      'certainly apart, but less than the threshold: pass',
      [12_000, 8000, ...flat(100_000).slice(2)],
      flat(100_000),
      3,
      'Pass',
    ],
    ['nothing seen: need more', flat(0), flat(1000), 1, 'NeedMore'],
    ['other bins: need more', [50, 50], flat(100), 1, 'NeedMore'],
  ] as const)('%s', (_sentence, candidate, stable, look, verdict) => {
    expect(judgeShift(candidate, stable, { threshold: 0.2, look, risk }).verdict).toBe(verdict);
  });

  test('shows value, bounds, limit and the smaller sample', () => {
    expect(judgeShift(tilted(1000), flat(4000), { threshold: 0.2, look: 2, risk })).toMatchObject({
      limit: 0.2,
      n: 1000,
    });
  });

  test('of one and the same distribution fails in at most alpha of the rollouts, looked at with doubling rows', () => {
    const runs = 500;
    const level = { fail: 0.05, pass: 1e-9 };
    // A low threshold, so that the test of significance alone stands before a false Fail.
    const fails = Array.from({ length: runs }, (_, seed) => {
      const uniform = mulberry32(seed + 1);
      const [candidate, stable] = [flat(0), flat(0)];
      for (let look = 1, rows = 0; look <= 5; look += 1) {
        for (; rows < 100 * 2 ** (look - 1); rows += 1) {
          for (const side of [candidate, stable]) {
            const bin = Math.floor(uniform() * 10);
            side[bin] = (side[bin] ?? 0) + 1;
          }
        }
        if (judgeShift(candidate, stable, { threshold: 0.001, look, risk: level }).verdict === 'Fail') return true;
      }
      return false;
    }).filter(Boolean).length;
    expect(fails).toBeLessThanOrEqual(runs * 0.05 + 3 * Math.sqrt(runs * 0.05));
    expect(fails).toBeGreaterThan(0);
  });

  test('that is exactly at the threshold passes in at most risk.pass of the rollouts', () => {
    const shifted = [0.2 - 0.0932, 0.2 - 0.0932, 0.2, 0.2 + 0.0932, 0.2 + 0.0932];
    const even = [0.2, 0.2, 0.2, 0.2, 0.2];
    const threshold = shifted.reduce((sum, p) => sum + (p - 0.2) * Math.log(p / 0.2), 0);
    const runs = 300;
    const passes = Array.from({ length: runs }, (_, seed) => {
      const uniform = mulberry32(seed + 1);
      const [candidate, stable] = [even.map(() => 0), even.map(() => 0)];
      const draw = (counts: number[], shares: readonly number[]): void => {
        let at = uniform();
        const bin = shares.findIndex((share) => {
          at -= share;
          return at < 0;
        });
        counts[bin < 0 ? 4 : bin] = (counts[bin < 0 ? 4 : bin] ?? 0) + 1;
      };
      for (let look = 1, rows = 0; look <= 6; look += 1) {
        for (; rows < 100 * 2 ** (look - 1); rows += 1) {
          draw(candidate, shifted);
          for (let i = 0; i < 10; i += 1) draw(stable, even);
        }
        const { verdict } = judgeShift(candidate, stable, { threshold, look, risk });
        if (verdict !== 'NeedMore') return verdict === 'Pass';
      }
      return false;
    }).filter(Boolean).length;
    expect(passes).toBeLessThanOrEqual(runs * 0.05);
  });
});

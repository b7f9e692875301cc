import { describe, expect, test } from 'vitest';
import { worstSegment } from './segments.ts';
import { drawn } from './simulation/traffic.ts';
import { mulberry32 } from './simulation.ts';

const risk = { fail: 0.001, pass: 0.05 };

describe('the worst segment, limit 2 %', () => {
  test('is found where all together look well', () => {
    const segments = { BR: { hits: 30, total: 100 }, US: { hits: 5, total: 5000 }, DE: { hits: 3, total: 3000 } };
    expect(worstSegment(segments, 0.02, risk)).toMatchObject({ segment: 'BR', verdict: 'Fail', n: 100 });
  });

  test('is not one with too few to judge', () => {
    const segments = { LI: { hits: 2, total: 2 }, US: { hits: 5, total: 5000 } };
    expect(worstSegment(segments, 0.02, risk)).toMatchObject({ segment: 'US', verdict: 'Pass' });
    expect(worstSegment({ LI: { hits: 2, total: 2 } }, 0.02, risk)).toBeUndefined();
    expect(worstSegment({}, 0.02, risk)).toBeUndefined();
  });

  test('needs more evidence the more segments there are', () => {
    const bad = { hits: 4, total: 10 };
    const others = Object.fromEntries(Array.from({ length: 99 }, (_, i) => [`s${i}`, { hits: 0, total: 100 }]));
    expect(worstSegment({ bad }, 0.02, risk)?.verdict).toBe('Fail');
    expect(worstSegment({ bad, ...others }, 0.02, risk)).toMatchObject({ segment: 'bad', verdict: 'NeedMore' });
  });

  test('fails by chance in at most alpha of the rollouts, over 20 innocent segments and all looks', () => {
    const [runs, fail] = [150, 0.05];
    const fails = Array.from({ length: runs }, (_, seed) => {
      const uniform = mulberry32(seed + 1);
      const hits = Array.from({ length: 20 }, () => 0);
      for (let look = 1; look <= 20; look += 1) {
        const segments = hits.map((before, i) => {
          hits[i] = before + drawn(uniform, 20, 0.02);
          return [`s${i}`, { hits: hits[i] ?? 0, total: look * 20 }] as const;
        });
        if (worstSegment(Object.fromEntries(segments), 0.02, { fail, pass: 0.05 })?.verdict === 'Fail') return true;
      }
      return false;
    }).filter(Boolean).length;
    expect(fails).toBeLessThanOrEqual(runs * fail + 3 * Math.sqrt(runs * fail));
  });
});

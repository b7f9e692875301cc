import { expect, test } from 'vitest';
import { NO_BINS } from '../counts.ts';
import { against } from './excess.ts';
import { PATTERNS } from './patterns.ts';

test('all patterns differ, turn at most once, and share the whole risk', () => {
  const texts = PATTERNS.map(({ signs }) => signs.join());
  expect(new Set(texts).size).toBe(20);
  const turns = PATTERNS.map(({ signs }) => signs.filter((sign, i) => i > 0 && sign !== signs[i - 1]).length);
  expect(Math.max(...turns)).toBe(1);
  expect(PATTERNS.reduce((sum, { share }) => sum + share, 0)).toBeCloseTo(1, 12);
});

test('of hits and those expected the difference is the sum of the gaps with the signs of the pattern', () => {
  const bins = NO_BINS.map((_, i) => ({ n: 100 + i, right: 10 * i, confidence: 8 * i + 7 }));
  for (const pattern of PATTERNS) {
    const { hits, expected, total } = against(bins, pattern);
    const gaps = bins.reduce(
      (sum, { right, confidence }, i) => sum + (pattern.signs[i] ?? 0) * (confidence - right),
      0,
    );
    expect(hits - expected).toBeCloseTo(gaps, 9);
    expect(total).toBe(1045);
  }
});

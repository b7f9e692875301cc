import { expect, test } from 'vitest';
import { NO_BINS } from '../counts.ts';
import { calibrationDetail } from './detail.ts';

test.each([
  [
    'too sure throughout',
    { 8: [100, 70, 85], 9: [1812, 1467.72, 1721.4] },
    'overconfident by 14.1%, worst from 0.9 to 1: 95% sure, 81% right, 1,812 labels',
  ],
  [
    'not sure enough',
    { 5: [200, 150, 110], 6: [100, 70, 65] },
    'underconfident by 15%, worst from 0.5 to 0.6: 55% sure, 75% right, 200 labels',
  ],
  [
    'both ways',
    { 5: [100, 70, 55], 9: [100, 80, 96] },
    'overconfident in some bins and underconfident in others, worst from 0.9 to 1: 96% sure, 80% right, 100 labels',
  ],
] as const)(
  '%s is told with the bin that has most of it',
  (_, of: Record<number, readonly [number, number, number]>, text) => {
    const bins = NO_BINS.map((none, i) => {
      const [n, right, confidence] = of[i] ?? [0, 0, 0];
      return n === 0 ? none : { n, right, confidence };
    });
    expect(calibrationDetail(bins)).toBe(text);
  },
);

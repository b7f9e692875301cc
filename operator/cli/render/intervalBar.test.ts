import fc from 'fast-check';
import { expect, test } from 'vitest';
import { intervalBar, numberOf } from './intervalBar.ts';

test.each([
  [
    'before any request: it may be anything',
    { low: 0, rate: 0, high: 100, limit: 5 },
    'o=========|==================>',
  ],
  ['as requests come: below the limit', { low: 0, rate: 0.5, high: 2, limit: 5 }, '==o======..........|..........'],
  ['not to be told from the limit', { low: 2, rate: 4, high: 8, limit: 5 }, '.......========o==|==========='],
  ['above the limit', { low: 6, rate: 9, high: 12, limit: 5 }, '............|..=======o======='],
  [
    'far above the limit, beyond the scale',
    { low: 30, rate: 40, high: 60, limit: 5 },
    '...|................======o==>',
  ],
])('%s', (_name, measured, want) => expect(intervalBar(measured, 30)).toBe(want));

test('never shows the measured rate outside its interval, whatever the numbers', () => {
  const share = fc.double({ min: 0, max: 100, noNaN: true });
  fc.assert(
    fc.property(fc.tuple(share, share, share), fc.double({ min: 0.001, max: 100, noNaN: true }), (three, limit) => {
      const [low = 0, rate = 0, high = 0] = three.toSorted((a, b) => a - b);
      const bar = intervalBar({ low, rate, high, limit }, 32);
      expect(bar).toHaveLength(32);
      expect(bar).toMatch(/^\.*[=o|>]+\.*\|?\.*$|^\.*\|\.*[=o>]+\.*$/);
    }),
  );
});

test('reads shares and sizes of effect, and nothing else', () => {
  expect(['5%', '0.2', '-1%', '', 'none'].map(numberOf)).toEqual([5, 0.2, -1, undefined, undefined]);
});

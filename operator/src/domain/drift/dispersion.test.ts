import { expect, test } from 'vitest';
import { seeded } from '../../../test/random.ts';
import { dispersionOf } from './dispersion.ts';

const BINS = 10;
const random = seeded(7);

/** Slots of traffic whose callers send `same` equal rows at a time. */
const slots = (count: number, callers: number, same: number, shift: (slot: number) => number = () => 0): number[][] =>
  Array.from({ length: count }, (_, slot) => {
    const bins = new Array<number>(BINS).fill(0);
    for (let i = 0; i < callers; i += 1) {
      const bin = Math.min(BINS - 1, Math.floor(BINS * random() ** (1 / (1 + shift(slot)))));
      bins[bin] = (bins[bin] ?? 0) + same;
    }
    return bins;
  });
const mean = (runs: number, of: () => number): number =>
  Array.from({ length: runs }, of).reduce((a, b) => a + b, 0) / runs;

test.each([1, 2, 5, 25])('callers that send %d equal rows at a time make rows worth so much less', (same) => {
  const phi = mean(200, () => dispersionOf(slots(12, 200, same)));
  expect(phi).toBeGreaterThan(same * 0.95);
  expect(phi).toBeLessThan(same * 1.15);
});

test('one real jump within the window is no dispersion', () => {
  const jump = mean(50, () => dispersionOf(slots(12, 500, 1, (slot) => (slot < 6 ? 0 : 3))));
  expect(jump).toBeLessThan(1.3);
});

test('fewer than four slots with rows tell nothing', () => {
  const [a = [], b = [], c = [], d = []] = slots(4, 100, 25);
  expect(dispersionOf([a, [], b, [], c])).toBe(1);
  expect(dispersionOf([a, [], b, c, d])).toBeGreaterThan(1);
});

test('slots with rows in one bin only tell nothing', () => {
  expect(dispersionOf([[5], [7], [9], [11], [6]])).toBe(1);
  expect(dispersionOf([])).toBe(1);
});

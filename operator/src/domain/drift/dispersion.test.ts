import { expect, test } from 'vitest';
import { seeded } from '../../../test/random.ts';
import { Dispersion } from './dispersion.ts';

const BINS = 10;
const random = seeded(7);

/** A slot of traffic whose callers send `same` equal rows at a time. */
function slot(callers: number, same: number, shift = 0): number[] {
  const bins = new Array<number>(BINS).fill(0);
  for (let i = 0; i < callers; i += 1) {
    const bin = Math.floor(BINS * random() ** (1 / (1 + shift)));
    bins[bin] = (bins[bin] ?? 0) + same;
  }
  return bins;
}
function over(slots: readonly (readonly number[])[]): Dispersion {
  const dispersion = new Dispersion();
  for (const each of slots) dispersion.add(each);
  return dispersion;
}
const times = <T>(count: number, of: (i: number) => T): T[] => Array.from({ length: count }, (_, i) => of(i));

test.each([1, 2, 5, 25])('callers that send %d equal rows at a time make rows worth so much less', (same) => {
  const phi = over(times(145, () => slot(40, same))).at(1e-6) ?? 0;
  expect(phi).toBeGreaterThan(same * 0.9);
  expect(phi).toBeLessThan(same * 1.2);
});

test('few pairs are told with more caution, and the more the further out an alarm lies', () => {
  const few = over(times(4, () => slot(400, 5)));
  const many = over(times(145, () => slot(400, 5)));
  expect(few.at(1e-6)).toBeGreaterThan((many.at(1e-6) ?? 0) * 1.3);
  expect(few.at(1e-6)).toBeGreaterThan((few.at(0.01) ?? 0) * 1.2);
});

test('a slow change of the traffic is no dispersion', () => {
  expect(over(times(145, (i) => slot(200, 1, i / 30))).at(1e-6)).toBeLessThan(1.2);
});

test('a jump leaves enough of a large window to be seen', () => {
  const phi = over([...times(6, () => slot(20_000, 1)), ...times(6, () => slot(20_000, 1, 3))]).at(1e-6) ?? 0;
  expect((12 * 20_000) / phi).toBeGreaterThan(1000);
});

test('one slot tells nothing, nor do empty ones', () => {
  expect(over([slot(100, 1)]).at(0.01)).toBeUndefined();
  expect(over([[0, 0], slot(100, 1), [0, 0]]).at(0.01)).toBeUndefined();
});

test('values that never vary agree, and when they change at last the change is seen', () => {
  expect(over(times(5, () => [500, 0])).at(1e-6)).toBe(1);
  const phi = over([...times(6, () => [500, 0]), ...times(6, () => [0, 500])]).at(1e-6) ?? 0;
  expect(3000 / phi).toBeGreaterThan(5); // of 3,000 that changed: enough to tell all from a tenth
});

test('slots with rows make a pair whatever empty time lies between them', () => {
  expect(over([slot(100, 1), [0], [], slot(100, 1)]).at(0.01)).toBeGreaterThanOrEqual(1);
});

import { expect, test } from 'vitest';
import { seeded } from '../../../test/random.ts';
import type { Counts } from '../analysis/confidenceSequence.ts';
import { Dispersion } from './dispersion.ts';
import { FaultDispersion } from './faultDispersion.ts';

const ALPHA = 1e-6;
const times = (count: number, of: () => Counts): Counts[] => Array.from({ length: count }, of);
const callers = (each: number, aSlot: number, habit: number): (() => Counts) => {
  const random = seeded(5);
  return () => ({
    hits: each * Array.from({ length: aSlot }, random).filter((coin) => coin < habit).length,
    total: each * aSlot,
  });
};

function effectOf(slots: readonly Counts[], usual = true): number | undefined {
  const dispersion = new FaultDispersion();
  for (const slot of slots) dispersion.add(slot);
  return dispersion.at(ALPHA, usual);
}
function quickOf(slots: readonly Counts[]): number {
  const dispersion = new Dispersion();
  for (const { hits, total } of slots) dispersion.add([hits, total - hits]);
  return dispersion.at(ALPHA) ?? 0;
}

test.each([1, 3])('%d callers of 300 rows a slot, few with the habit, make a row worth a 300th of one', (aSlot) => {
  const slots = times(145, callers(300, aSlot, 0.1));
  expect(effectOf(slots)).toBeGreaterThan(0.75 * 300);
  expect(effectOf(slots)).toBeLessThan(2 * 300);
  expect(quickOf(slots)).toBeLessThan(0.85 * (effectOf(slots) ?? 0)); // which is why it does not do alone
});

test('independent rows are worth one each', () => {
  expect(effectOf(times(145, callers(1, 100, 0.02)))).toBeLessThan(1.5);
});

const GONE = { hits: 100, total: 100 };
const NONE = { hits: 0, total: 100 };

test('a feature that vanishes does not pass for a habit: what is known of callers is of the time before', () => {
  const slots = [...times(142, callers(1, 100, 0.02)), GONE, GONE, GONE];
  expect(effectOf(slots)).toBe(quickOf(slots));
});

test.each([
  ['training had it: it may be a rare caller', true, [GONE, GONE, GONE]],
  ['two slots had it: it may be a rare caller that training lacked', false, [GONE, GONE]],
] as const)('what history had not is taken for clumps as large as it is: %s', (_, usual, last) => {
  const slots = [...times(140, () => NONE), ...last];
  expect(effectOf(slots, usual)).toBeGreaterThan(1.5 * quickOf(slots));
});

test('what neither training nor history had is no habit from the third slot on', () => {
  const slots = [...times(140, () => NONE), GONE, GONE, GONE];
  expect(effectOf(slots, false)).toBe(quickOf(slots));
});

test('one slot tells nothing', () => {
  expect(effectOf([GONE])).toBeUndefined();
  expect(effectOf([GONE, { hits: 0, total: 0 }])).toBeUndefined();
});

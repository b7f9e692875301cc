import { expect, test } from 'vitest';
import { seeded } from '../../../test/random.ts';
import { Dispersion } from './dispersion.ts';
import { RateDispersion } from './rateDispersion.ts';

interface Clumps {
  readonly each: number;
  readonly aSlot: number;
  readonly rate: number;
  readonly slots?: number;
}

/** Slots of clumps of labels that are right or wrong together. */
function slotsOf({
  each,
  aSlot,
  rate,
  slots = 145,
}: Clumps): readonly { readonly hits: number; readonly total: number }[] {
  const random = seeded(7);
  return Array.from({ length: slots }, () => ({
    hits: each * Array.from({ length: aSlot }, random).filter((coin) => coin < rate).length,
    total: each * aSlot,
  }));
}
function effectOf(clumps: Clumps, alpha = 1): number | undefined {
  const dispersion = new RateDispersion();
  for (const slot of slotsOf(clumps)) dispersion.add(slot);
  return dispersion.at(alpha);
}

test.each([
  ['independent labels are worth one each', { each: 1, aSlot: 50, rate: 0.2 }, 1],
  ['25 that are right or wrong together are worth one', { each: 25, aSlot: 10, rate: 0.2 }, 25],
  ['the same where a slot has three such clumps and few are wrong', { each: 25, aSlot: 3, rate: 0.05 }, 25],
  ['the same where a slot is one clump', { each: 25, aSlot: 1, rate: 0.1 }, 25],
])('%s', (_, clumps, effect) => {
  expect(effectOf(clumps)).toBeGreaterThan(0.75 * effect);
  expect(effectOf(clumps)).toBeLessThan(1.35 * effect);
});

test('few clumps a slot look like half of what they are where each pair of slots has a rate of its own', () => {
  const clumps = { each: 25, aSlot: 3, rate: 0.05 };
  const own = new Dispersion();
  for (const { hits, total } of slotsOf(clumps)) own.add([hits, total - hits]);
  expect(own.at(1)).toBeLessThan(0.5 * (effectOf(clumps) ?? 0));
});

test('what rests on few pairs is raised, the more so the rarer the alarm', () => {
  const few = { each: 25, aSlot: 10, rate: 0.2, slots: 6 };
  const [shown = 0, common = 0, rare = 0] = [1, 0.01, 1e-6].map((alpha) => effectOf(few, alpha));
  expect(common).toBeGreaterThan(2 * shown);
  expect(rare).toBeGreaterThan(5 * common);
});

test('one slot tells nothing, an empty one neither, and labels that are all right show no dispersion', () => {
  const dispersion = new RateDispersion();
  dispersion.add({ hits: 0, total: 20 });
  dispersion.add({ hits: 0, total: 0 });
  expect(dispersion.at(1)).toBeUndefined();
  dispersion.add({ hits: 0, total: 30 });
  expect(dispersion.at(1)).toBe(1);
});

test('what is older than twelve windows is forgotten', () => {
  const dispersion = new RateDispersion();
  for (const slot of slotsOf({ each: 25, aSlot: 10, rate: 0.2 })) dispersion.add(slot);
  for (let i = 0; i < 145; i += 1) dispersion.add({ hits: 10, total: 50 });
  expect(dispersion.at(1)).toBe(1);
});

import { expect, test } from 'vitest';
import { seeded } from '../../../../test/random.ts';
import { type CalibrationBin, NO_BINS } from '../counts.ts';
import { CalibrationDispersion } from './dispersion.ts';

const slot = (of: Readonly<Record<number, readonly [n: number, right: number]>>): CalibrationBin[] =>
  NO_BINS.map((none, i) => {
    const [n, right] = of[i] ?? [0, 0];
    return { ...none, n, right, confidence: (n * (i + 0.5)) / 10 };
  });
const watched = (slots: number, one: () => CalibrationBin[]): CalibrationDispersion => {
  const dispersion = new CalibrationDispersion();
  for (let i = 0; i < slots; i += 1) dispersion.add(one());
  return dispersion;
};

test('nothing is known before two slots had labels', () => {
  expect(watched(1, () => slot({ 9: [10, 9] })).at(0.01)).toBeUndefined();
  expect(watched(5, () => slot({})).at(0.01)).toBeUndefined();
});

test('25 labels that are all alike are worth one, whatever the pattern', () => {
  const random = seeded(9);
  const clumps = watched(144, () => slot({ [random() < 0.5 ? 8 : 9]: [25, random() < 0.8 ? 25 : 0] }));
  for (const effect of clumps.at(1) ?? []) expect(Math.abs(effect - 25)).toBeLessThan(5);
});

test('bins that are wrong in turn look calm in their sum, and are not in the pattern that tells them apart', () => {
  const random = seeded(9);
  const inTurn = watched(144, () => slot(random() < 0.5 ? { 5: [50, 50], 9: [50, 0] } : { 5: [50, 0], 9: [50, 50] }));
  const effects = inTurn.at(1) ?? [];
  expect(effects[0]).toBe(1);
  expect(Math.max(...effects)).toBeGreaterThan(40);
});

test('a pattern in which no answer was wrong yet shows no clumps, and has those of the others', () => {
  const random = seeded(9);
  const right = watched(60, () => slot({ [random() < 0.5 ? 6 : 9]: [25, 25] })).at(1) ?? [];
  expect(Math.min(...right)).toBeGreaterThan(15);
});

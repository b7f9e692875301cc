import fc from 'fast-check';
import { expect, test } from 'vitest';
import { leastMean } from './hoeffding.ts';

test.each([
  [{ hits: 0, total: 0 }, 0.05, 0],
  [{ hits: 0, total: 50 }, 0.05, 0],
  [{ hits: 100, total: 100 }, 0.05, 0.05 ** 0.01], // rate^100 = 0.05
  [{ hits: 50, total: 100 }, 0.05, 0.379],
  [{ hits: 500, total: 1000 }, 0.05, 0.4613],
])('of %o at %d the mean chance is at least %d', (counts, alpha, low) => {
  expect(leastMean(counts, alpha)).toBeCloseTo(low, 3);
});

/** Chances of 0, 1, 2, … hits of outcomes with chances of their own. */
function hitsOf(chances: readonly number[]): readonly number[] {
  let chanceOf = [1];
  for (const chance of chances) {
    const before = chanceOf;
    chanceOf = before.concat(0).map((stays, hits) => stays * (1 - chance) + (before[hits - 1] ?? 0) * chance);
  }
  return chanceOf;
}

test('it exceeds the mean of chances that all differ with a chance of at most alpha, exactly', () => {
  const chance = fc.double({ min: 0, max: 1, noNaN: true });
  fc.assert(
    fc.property(
      fc.array(chance, { minLength: 1, maxLength: 40 }),
      fc.constantFrom(0.3, 0.05, 0.001),
      (chances, alpha) => {
        const total = chances.length;
        const mean = chances.reduce((a, b) => a + b, 0) / total;
        const exceeds = hitsOf(chances).reduce(
          (sum, one, hits) => sum + (leastMean({ hits, total }, alpha) > mean + 1e-9 ? one : 0),
          0,
        );
        expect(exceeds).toBeLessThanOrEqual(alpha);
      },
    ),
  );
});

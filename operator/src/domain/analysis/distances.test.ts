import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { jsOf, ksOf, psiOf, sameDistribution } from './distances.ts';
import { mulberry32 } from './simulation.ts';

const DISTANCES = { psi: psiOf, js: jsOf, ks: ksOf };
const each = Object.entries(DISTANCES).map(([name, of]) => [name, of] as const);

/** Bin counts of a sample. */
function sample(uniform: () => number, shares: readonly number[], size: number): readonly number[] {
  const counts = shares.map(() => 0);
  for (let i = 0; i < size; i += 1) {
    let at = uniform();
    const bin = shares.findIndex((share) => {
      at -= share;
      return at < 0;
    });
    const index = bin < 0 ? shares.length - 1 : bin;
    counts[index] = (counts[index] ?? 0) + 1;
  }
  return counts;
}
const TENTHS = Array.from({ length: 10 }, () => 0.1);
const SHIFTED = [0.04, 0.05, 0.06, 0.08, 0.1, 0.1, 0.12, 0.14, 0.15, 0.16];
const trueValue = {
  psi: SHIFTED.reduce((sum, p, i) => sum + (p - (TENTHS[i] ?? 0)) * Math.log(p / (TENTHS[i] ?? 1)), 0),
  js: Math.sqrt(
    SHIFTED.reduce((sum, p, i) => {
      const q = TENTHS[i] ?? 0;
      return sum + (p * Math.log2((2 * p) / (p + q)) + q * Math.log2((2 * q) / (p + q))) / 2;
    }, 0),
  ),
  ks: 0.17,
};

describe.each(each)('%s', (name, of) => {
  const binned = fc.array(fc.integer({ min: 0, max: 10_000 }), { minLength: 2, maxLength: 30 });

  test('of a sample and itself is 0, and lies within its bounds', () => {
    fc.assert(
      fc.property(binned, (counts) => {
        const { value, low, high, pValue } = of(counts, counts, 0.05);
        expect(value).toBe(0);
        expect(low).toBe(0);
        expect(high).toBeGreaterThanOrEqual(0);
        expect(pValue).toBeCloseTo(1, 9);
      }),
    );
  });

  test('is the same both ways, whole or in fractions, and never below 0 or NaN', () => {
    fc.assert(
      fc.property(binned, binned, fc.constantFrom(0.05, 1e-6), (a, b, alpha) => {
        const size = Math.min(a.length, b.length);
        const [x, y] = [a.slice(0, size).map((n) => n / 3), b.slice(0, size)];
        const [there, back] = [of(x, y, alpha), of(y, x, alpha)];
        expect(there.value).toBeCloseTo(back.value, 9);
        expect(0 <= there.low && there.low <= there.value + 1e-12 && there.value <= there.high + 1e-12).toBe(true);
        expect(there.pValue).toBeGreaterThanOrEqual(0);
        expect(there.pValue).toBeLessThanOrEqual(1);
      }),
    );
  });

  test.each([
    ['nothing observed', [0, 0, 0], [5, 5, 5]],
    ['no bins', [], []],
    ['other bins', [5, 5], [5, 5, 5]],
  ])('of %s is unknown, and no alarm', (_sentence, a, b) => {
    expect(of(a, b, 0.05)).toMatchObject({ value: 0, low: 0, pValue: 1 });
    expect(of(a, b, 0.05).high).toBeGreaterThanOrEqual(1);
  });

  test.each([
    [200, 200],
    [200, 100_000],
    [2000, 5000],
  ])('of samples of %d and %d: the bounds at alpha 0.05 hold the truth', (n, m) => {
    const runs = 300;
    let held = 0;
    for (let seed = 1; seed <= runs; seed += 1) {
      const uniform = mulberry32(seed);
      const { low, high } = of(
        sample(uniform, SHIFTED, n),
        m > 50_000 ? TENTHS.map((p) => p * m) : sample(uniform, TENTHS, m),
        0.05,
      );
      if (low <= trueValue[name as 'psi'] && trueValue[name as 'psi'] <= high) held += 1;
    }
    expect(held / runs).toBeGreaterThan(0.95 - 3 * Math.sqrt((0.05 * 0.95) / runs));
  });

  test.each([
    [100, 100],
    [300, 20_000],
  ])('of equal distributions, %d and %d: its p-value is below alpha in alpha of the cases at most', (n, m) => {
    const runs = 600;
    const pValues = Array.from({ length: runs }, (_, seed) => {
      const uniform = mulberry32(seed + 1);
      return of(sample(uniform, TENTHS, n), m > 10_000 ? TENTHS.map((p) => p * m) : sample(uniform, TENTHS, m), 0.05)
        .pValue;
    });
    for (const alpha of [0.1, 0.01])
      expect(pValues.filter((p) => p <= alpha).length).toBeLessThanOrEqual(runs * alpha + 3 * Math.sqrt(runs * alpha));
  });
});

describe('the bias of an index', () => {
  test('is gone: equal distributions are as often below 0 as above, so that 100 samples of 30 bins are no shift', () => {
    const shares = Array.from({ length: 30 }, () => 1 / 30);
    const values = Array.from({ length: 200 }, (_, seed) => {
      const uniform = mulberry32(seed + 1);
      return psiOf(sample(uniform, shares, 400), sample(uniform, shares, 400), 0.05).value;
    });
    // Uncorrected it would be 29·(2/400) = 0.145 on average.
    expect(values.reduce((a, b) => a + b, 0) / values.length).toBeLessThan(0.03);
  });
});

describe('bins with too few to judge', () => {
  test('are judged as one: a single rare value is no difference', () => {
    expect(sameDistribution([1000, 1000, 1], [1000, 1000, 0])).toBeGreaterThan(0.1);
  });

  test('still tell, together, that something new came', () => {
    expect(sameDistribution([900, 900, 50, 50, 50, 50], [1000, 1000, 0, 0, 0, 0])).toBeLessThan(1e-9);
  });
});

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { seeded } from '../../../../test/random.ts';
import { type CalibrationBin, NO_BINS } from '../counts.ts';
import { calibrationError, type Effects } from './error.ts';
import { PATTERNS } from './patterns.ts';

const INDEPENDENT: Effects = { bounds: PATTERNS.map(() => 1), shown: 1 };
const effects = (phi: number): Effects => ({ bounds: PATTERNS.map(() => phi), shown: phi });
/** Labels by bin: how many, share right, mean confidence. */
const bins = (of: Readonly<Record<number, readonly [n: number, right: number, sure: number]>>): CalibrationBin[] =>
  NO_BINS.map((none, i) => {
    const [n, right, sure] = of[i] ?? [0, 0, 0];
    return n === 0 ? none : { n, right: Math.round(n * right), confidence: n * sure };
  });
const errorOf = (of: readonly CalibrationBin[], alpha = 1e-4, phi = 1) => calibrationError(of, effects(phi), alpha);

test('a model that is as sure as it is right has no error, whatever chance makes of few labels', () => {
  expect(errorOf(bins({ 8: [1000, 0.85, 0.85], 9: [1000, 0.95, 0.95] }))).toMatchObject({ value: 0, low: 0, n: 2000 });
  expect(errorOf(bins({ 8: [40, 0.875, 0.85], 9: [40, 0.925, 0.95] }))).toMatchObject({ value: 0, low: 0 });
});

describe('an error is found', () => {
  test.each([
    ['overconfidence', { 8: [1000, 0.7, 0.85], 9: [1000, 0.8, 0.95] }],
    ['underconfidence', { 5: [1000, 0.7, 0.55], 6: [1000, 0.8, 0.65] }],
    ['too sure above and not sure enough below', { 5: [1000, 0.7, 0.55], 9: [1000, 0.8, 0.95] }],
    ['too sure below and not sure enough above', { 5: [1000, 0.4, 0.55], 7: [1000, 0.9, 0.75] }],
    ['in one bin of many', { 5: [100, 0.55, 0.55], 7: [100, 0.75, 0.75], 9: [1800, 0.783, 0.95] }],
  ] as const)('%s, of 15%%', (_, of) => {
    const { value, low, high } = errorOf(bins(of));
    expect(value).toBeCloseTo(0.15, 2);
    expect(low).toBeGreaterThan(0.08);
    expect(high).toBeLessThan(0.25);
  });
});

test('one that turns twice is bounded by the part of it that turns once', () => {
  const twice = bins({ 1: [600, 0.0, 0.15], 5: [600, 0.7, 0.55], 9: [800, 0.8, 0.95] });
  expect(errorOf(twice).value).toBeCloseTo(0.15, 2);
  expect(errorOf(twice).low).toBeGreaterThan(0.005);
  expect(errorOf(twice).low).toBeLessThan(0.1);
});

test('labels that are worth a fifth of an independent one bound it as a fifth of them would', () => {
  const of = (n: number) => bins({ 9: [n, 0.8, 0.95] });
  expect(errorOf(of(5000), 1e-4, 5).low).toBeCloseTo(errorOf(of(1000)).low, 3);
  expect(errorOf(of(5000), 1e-4, 5).high).toBeCloseTo(errorOf(of(1000)).high, 3);
});

const count = fc.integer({ min: 0, max: 3000 });
const share = fc.double({ min: 0, max: 1, noNaN: true });
const anyBins = fc
  .array(fc.record({ n: count, right: share, sure: share }), { minLength: 10, maxLength: 10 })
  .map((all) =>
    all.map(({ n, right, sure }, i) => ({ n, right: Math.round(n * right), confidence: (n * (i + sure)) / 10 })),
  )
  .filter((all) => all.some(({ n }) => n > 0));

test('the error lies in its interval and the interval in 0 to 1, narrower at a larger alpha', () => {
  fc.assert(
    fc.property(anyBins, (of) => {
      const [narrow, wide] = [calibrationError(of, INDEPENDENT, 0.05), calibrationError(of, INDEPENDENT, 1e-5)];
      for (const { low, value, high } of [narrow, wide])
        expect(0 <= low && low <= value && value <= high && high <= 1).toBe(true);
      expect(wide.low <= narrow.low && narrow.high <= wide.high).toBe(true);
    }),
  );
});

/** Labels whose chances differ within each bin, as those of a real model do; and their true error over the bins. */
function drawn(random: () => number, off: number): { readonly of: CalibrationBin[]; readonly truth: number } {
  const of = NO_BINS.map((bin) => ({ ...bin, chances: 0 }));
  for (let label = 0; label < 400; label += 1) {
    const confidence = 0.5 + random() / 2;
    const chance = Math.min(1, Math.max(0, confidence - off + (random() - 0.5) * 0.4));
    const bin = of[Math.ceil(confidence * 10) - 1];
    if (bin === undefined) continue;
    bin.n += 1;
    bin.right += random() < chance ? 1 : 0;
    bin.confidence += confidence;
    bin.chances += chance;
  }
  return { of, truth: of.reduce((sum, bin) => sum + Math.abs(bin.confidence - bin.chances), 0) / 400 };
}

const LEVEL = 0.1;
const RUNS = 600;
test.each([0, 0.05, 0.15, -0.1])(
  'of labels of a model that says %d too much, each bound fails in at most the share that it promises',
  (off) => {
    const random = seeded(11);
    const missed = { low: 0, high: 0 };
    for (let run = 0; run < RUNS; run += 1) {
      const { of, truth } = drawn(random, off);
      const { low, high } = calibrationError(of, INDEPENDENT, LEVEL);
      if (low > truth) missed.low += 1;
      if (high < truth) missed.high += 1;
    }
    expect(missed.low).toBeLessThanOrEqual(RUNS * LEVEL);
    expect(missed.high).toBeLessThanOrEqual(RUNS * LEVEL);
  },
);

test('taking off what chance adds leaves the true error on average, where the raw one is too high', () => {
  const random = seeded(5);
  let [told, truths, raws] = [0, 0, 0];
  for (let run = 0; run < 300; run += 1) {
    const { of, truth } = drawn(random, 0.05);
    told += calibrationError(of, INDEPENDENT, 1e-4).value / 300;
    truths += truth / 300;
    raws += of.reduce((sum, { right, confidence }) => sum + Math.abs(confidence - right), 0) / 400 / 300;
  }
  expect(raws - truths).toBeGreaterThan(0.005);
  expect(Math.abs(told - truths)).toBeLessThan((raws - truths) / 2);
});

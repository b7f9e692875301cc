import fc from 'fast-check';
import { expect, test } from 'vitest';
import { evidenceDocument } from '../../../test/evidenceDocument.ts';
import { type Counts, countsFrom, countsOf, vectorOf } from './counts.ts';

const whole = fc.integer({ min: 0, max: 1e9 });
const binned = fc.record({
  name: fc.string(),
  counts: fc.array(whole, { maxLength: 5 }),
  missing: whole,
  nonFinite: whole,
  outOfRange: whole,
  unseen: whole,
});
const counts: fc.Arbitrary<Counts> = fc.record({
  rows: whole,
  outliers: fc.record({ judged: whole, beyond: whole }),
  labels: fc.record({ right: whole, wrong: whole }),
  calibration: fc.array(fc.record({ n: whole, right: whole, confidence: whole }), { minLength: 10, maxLength: 10 }),
  features: fc.array(binned, { maxLength: 4 }),
  predictions: fc.array(binned, { maxLength: 4 }),
});

test('counts are a vector and back, whatever they hold', () => {
  fc.assert(
    fc.property(counts, (all) => {
      expect(countsFrom(vectorOf(all), all)).toEqual(all);
    }),
  );
});

test('an empty slot of the window is a slot of zeros', () => {
  fc.assert(
    fc.property(counts, (all) => {
      const zeros = vectorOf(countsFrom([], all));
      expect(zeros).toEqual(vectorOf(all).map(() => 0));
    }),
  );
});

test('rows are those whose values were counted, and where a pod does not tell them, those of its fullest feature', () => {
  const of = { name: 'distance', counts: [3, 4], missing: 2, nonFinite: 1, outOfRange: 0, unseen: 0 };
  expect(countsOf(evidenceDocument({ features: [of], rows: { run: 40, judged: 10 } })).rows).toBe(10);
  expect(countsOf(evidenceDocument({ features: [of, { ...of, counts: [1, 1] }] })).rows).toBe(10);
  expect(countsOf(evidenceDocument()).rows).toBe(0);
});

import type { Signature, Tensor } from '@slipway/crds/contract';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Elements, roomFor, type TensorValue } from '../../tensor.ts';
import type { EvidenceOptions } from '../countingEvidence.ts';
import { evidenceWith, START } from '../testing/evidence.ts';
import { ROWS_PER_STRAY } from './confidence.ts';

const NOW = START.getTime();
const scores: Tensor = { name: 'scores', datatype: 'FP32', shape: [-1, 3] };
const anyWidth: Tensor = { name: 'scores', datatype: 'FP32', shape: [-1, -1] };
const probability: Tensor = { name: 'probability', datatype: 'FP32', shape: [-1, 1] };
const classes: Tensor = { name: 'class', datatype: 'INT64', shape: [-1] };
const texts: Tensor = { name: 'text', datatype: 'BYTES', shape: [-1] };
const signature = (...outputs: Tensor[]): Signature => ({ inputs: [], outputs });

function answer(
  { name, datatype }: Tensor,
  width: number,
  ...values: readonly (number | bigint | string)[]
): TensorValue {
  const elements = roomFor(datatype, values.length);
  values.forEach((value, i) => {
    (elements as (typeof value)[])[i] = value;
  });
  return { name, datatype, shape: [values.length / width, width], elements: elements as Elements };
}

/** The bins that hold an answer, by number from 0, after the labels: [n, right, confidence]. */
function binsAfter(
  options: Partial<EvidenceOptions>,
  outputs: readonly TensorValue[],
  ...labels: readonly (number | string)[]
): Record<number, readonly number[]> | undefined {
  const evidence = evidenceWith(options);
  for (let i = 0; i < ROWS_PER_STRAY; i++) evidence.remember(`unlabelled ${i}`, outputs, NOW);
  evidence.remember('a', outputs, NOW);
  for (const [row, label] of labels.entries()) evidence.label(labels.length === 1 ? 'a' : `a#${row}`, label, NOW);
  const bins = evidence.counts().labels?.calibration?.bins;
  return (
    bins &&
    Object.fromEntries(
      [...bins.entries()].flatMap(([i, { n, right, confidence }]) => (n > 0 ? [[i, [n, right, confidence]]] : [])),
    )
  );
}

/** Whether bins are told after answers of one row each, each with its label, and how many answers they hold. */
function countedOf(options: Partial<EvidenceOptions>, answers: readonly TensorValue[]): number | undefined {
  const evidence = evidenceWith(options);
  for (const [i, output] of answers.entries()) {
    evidence.remember(`${i}`, [output], NOW);
    evidence.label(`${i}`, 0, NOW);
  }
  return evidence.counts().labels?.calibration?.bins.reduce((sum, { n }) => sum + n, 0);
}

const near = (value: number) => expect.closeTo(value, 6);

describe('how sure the model was of a labelled answer', () => {
  test.each<[string, Partial<EvidenceOptions>, readonly TensorValue[], readonly (number | string)[], object]>([
    [
      'the greatest of its probabilities',
      { signature: signature(scores) },
      [answer(scores, 3, 0.1, 0.75, 0.15)],
      [1],
      { 7: [1, 1, near(0.75)] },
    ],
    [
      'that of the class predicted, not of the label',
      { signature: signature(scores) },
      [answer(scores, 3, 0.1, 0.75, 0.15)],
      [0],
      { 7: [1, 0, near(0.75)] },
    ],
    [
      'read from a width that only the answer tells',
      { signature: signature(anyWidth) },
      [answer(anyWidth, 2, 0.375, 0.625)],
      [1],
      { 6: [1, 1, near(0.625)] },
    ],
    [
      'one probability',
      { signature: signature(probability), labels: ['no', 'yes'] },
      [answer(probability, 1, 0.875)],
      [1],
      { 8: [1, 1, near(0.875)] },
    ],
    [
      'one probability of the other class',
      { signature: signature(probability), labels: ['no', 'yes'] },
      [answer(probability, 1, 0.125)],
      [0],
      { 8: [1, 1, near(0.875)] },
    ],
    [
      'that beside the number of a class',
      { signature: signature(classes, scores) },
      [answer(classes, 1, 2n), answer(scores, 3, 0, 0.25, 0.75)],
      [2],
      { 7: [1, 1, near(0.75)] },
    ],
    [
      'that beside the text of a class',
      { signature: signature(texts, scores) },
      [answer(texts, 1, 'owl'), answer(scores, 3, 0, 0.25, 0.75)],
      ['cat'],
      { 7: [1, 0, near(0.75)] },
    ],
    [
      'that of the class that the model named, where it is not the likeliest',
      { signature: signature(classes, scores), labels: ['a', 'b', 'c'] },
      [answer(classes, 1, 0n), answer(scores, 3, 0.125, 0.25, 0.625)],
      ['a'],
      { 1: [1, 1, near(0.125)] },
    ],
    [
      'that of the text that the model named, where it is not the likeliest',
      { signature: signature(texts, scores), labels: ['cat', 'owl', 'dog'] },
      [answer(texts, 1, 'owl'), answer(scores, 3, 0.125, 0.25, 0.625)],
      ['owl'],
      { 2: [1, 1, near(0.25)] },
    ],
    [
      'of the one of two outputs beside the class that is as wide as there are names',
      { signature: signature(classes, { ...scores, name: 'other', shape: [-1, 9] }, scores), labels: ['a', 'b', 'c'] },
      [answer(classes, 1, 2n), answer(scores, 3, 0, 0.25, 0.75)],
      ['c'],
      { 7: [1, 1, near(0.75)] },
    ],
    [
      'no more than 1 and in the bin of its sum, where trees are added up',
      { signature: signature(scores) },
      [answer(scores, 3, 1.0000007, -1e-7, 0, 0.4, 0.60000002, 0)],
      [0, 1],
      { 9: [1, 1, 1], 5: [1, 1, near(0.6)] },
    ],
    [
      'its own for each row',
      { signature: signature(scores) },
      [answer(scores, 3, 1, 0, 0, 0.25, 0.375, 0.375)],
      [0, 0],
      { 9: [1, 1, 1], 3: [1, 0, near(0.375)] },
    ],
    [
      'in the bin that its upper edge closes',
      { signature: signature(probability), labels: ['no', 'yes'] },
      [answer(probability, 1, 0.5)],
      [1],
      { 4: [1, 1, 0.5] },
    ],
  ])('is %s', (_what, options, outputs, labels, bins) => {
    expect(binsAfter(options, outputs, ...labels)).toEqual(bins);
  });

  test.each<[string, Partial<EvidenceOptions>, readonly TensorValue[], number | string]>([
    ['holds logits', { signature: signature(scores) }, [answer(scores, 3, -1, 4, 2)], 1],
    ['holds logits that add up to 1', { signature: signature(scores) }, [answer(scores, 3, -0.25, 0.75, 0.5)], 1],
    [
      'holds scores from 0 to 1 that do not add up',
      { signature: signature(scores) },
      [answer(scores, 3, 0.9, 0.8, 0.1)],
      0,
    ],
    ['holds no number', { signature: signature(scores) }, [answer(scores, 3, Number.NaN, 0.5, 0.5)], 1],
    [
      'is one number that is no probability',
      { signature: signature(probability), labels: ['no', 'yes'] },
      [answer(probability, 1, 3.5)],
      1,
    ],
    ['is a number', { signature: signature(probability) }, [answer(probability, 1, 0.5)], 0.5],
    ['is a class alone', { signature: signature(classes) }, [answer(classes, 1, 2n)], 2],
    [
      'has two outputs that might tell it',
      { signature: signature(classes, scores, { ...scores, name: 'other' }) },
      [answer(classes, 1, 2n), answer(scores, 3, 0, 0.25, 0.75)],
      2,
    ],
    [
      'has scores of a width that is not the number of names',
      { signature: signature(classes, scores), labels: ['a', 'b'] },
      [answer(classes, 1, 1n), answer(scores, 3, 0, 0.25, 0.75)],
      1,
    ],
    [
      'has scores for another number of rows',
      { signature: signature(classes, scores) },
      [answer(classes, 1, 2n), answer(scores, 3, 0, 0.25, 0.75, 1, 0, 0)],
      2,
    ],
    [
      'has one score, of a width that only the answer tells',
      { signature: signature(anyWidth) },
      [answer(anyWidth, 1, 1)],
      0,
    ],
    ['was not asked for its probabilities', { signature: signature(classes, scores) }, [answer(classes, 1, 2n)], 2],
  ])('is counted nowhere, and makes no zeros, when the answer %s', (_what, options, outputs, label) => {
    expect(binsAfter(options, outputs, label)).toBeUndefined();
  });

  test('is told of no model whose scores only now and then look like probabilities', () => {
    const logits = Array.from({ length: 60 }, (_, i) => answer(probability, 1, ((i * 7) % 10) / 2 - 2));
    expect(countedOf({ signature: signature(probability), labels: ['no', 'yes'] }, logits)).toBeUndefined();
    const sigmoids = [answer(scores, 3, 0.5, 0.3, 0.2), answer(scores, 3, 0.9, 0.7, 0.9)];
    expect(countedOf({ signature: signature(scores) }, Array(30).fill(sigmoids).flat())).toBeUndefined();
  });

  test.each<[string, number, readonly number[], number | undefined]>([
    ['nineteen rows', 19, [], undefined],
    ['twenty rows', 20, [], 20],
    ['one row of zeros in twenty', 19, [0, 0, 0], 19],
    ['two rows of zeros in forty', 38, [0, 0, 0, 0, 0, 0], 38],
    ['two rows of zeros in thirty-nine', 37, [0, 0, 0, 0, 0, 0], undefined],
    ['rows that are not finite', 20, [Number.NaN, 0.5, 0.5, Number.POSITIVE_INFINITY, 0, 0, 0, 0, Number.NaN], 20],
  ])('is told, or not, after %s', (_what, sound, odd, counted) => {
    const oddRows = Array.from({ length: odd.length / 3 }, (_, i) => answer(scores, 3, ...odd.slice(3 * i, 3 * i + 3)));
    const answers = [...Array.from({ length: sound }, () => answer(scores, 3, 0.5, 0.3, 0.2)), ...oddRows];
    expect(countedOf({ signature: signature(scores) }, answers)).toBe(counted);
  });

  test('is not put off by an odd first row', () => {
    const sound = Array.from({ length: 19 }, () => answer(scores, 3, 0.5, 0.3, 0.2));
    expect(countedOf({ signature: signature(scores) }, [answer(scores, 3, 0, 0, 0), ...sound])).toBe(19);
  });

  test('never comes back once it went: its growth would be counted twice', () => {
    const sound = Array.from({ length: 20 }, () => answer(scores, 3, 0.5, 0.3, 0.2));
    const odd = [answer(scores, 3, 0, 0, 0), answer(scores, 3, 3, 0, 0)];
    expect(
      countedOf({ signature: signature(scores) }, [...sound, ...odd, ...sound, ...sound, ...sound]),
    ).toBeUndefined();
  });

  test('is counted with the first label, whatever later ones say', () => {
    const evidence = evidenceWith({ signature: signature(scores) });
    for (let i = 0; i < ROWS_PER_STRAY; i++) evidence.remember(`${i}`, [answer(scores, 3, 0, 0.25, 0.75)], NOW);
    evidence.remember('a', [answer(scores, 3, 0, 0.25, 0.75)], NOW);
    expect(evidence.counts().labels?.calibration).toBeUndefined();
    for (const label of [2, 1, 2]) evidence.label('a', label, NOW);
    expect(evidence.counts().labels?.calibration?.bins[7]).toEqual({ n: 1, right: 1, confidence: 0.75 });
  });

  test('adds up over the bins to the labels that came, however sure it was', () => {
    const labelled = fc.record({
      first: fc.float({ min: 0, max: 1, noNaN: true }),
      label: fc.integer({ min: 0, max: 1 }),
    });
    fc.assert(
      fc.property(fc.array(labelled, { minLength: ROWS_PER_STRAY, maxLength: 40 }), (rows) => {
        const evidence = evidenceWith({ signature: signature(probability), labels: ['no', 'yes'] });
        for (const [i, { first, label }] of rows.entries()) {
          evidence.remember(`${i}`, [answer(probability, 1, first)], NOW);
          evidence.label(`${i}`, label, NOW);
        }
        const { right, wrong, calibration } = evidence.counts().labels ?? expect.fail('no labels');
        const bins = calibration?.bins ?? [];
        const sum = (of: 'n' | 'right' | 'confidence') => bins.reduce((total, bin) => total + bin[of], 0);
        expect([sum('n'), sum('right')]).toEqual([right + wrong, right]);
        expect(sum('confidence')).toBeCloseTo(
          rows.reduce((total, { first }) => total + Math.fround(Math.max(first, 1 - first)), 0),
          9,
        );
        for (const [i, { n, confidence }] of bins.entries()) {
          expect(confidence).toBeGreaterThanOrEqual((n * i) / 10 - n * 1e-6);
          expect(confidence).toBeLessThanOrEqual((n * (i + 1)) / 10 + n * 2e-5);
        }
      }),
    );
  });
});

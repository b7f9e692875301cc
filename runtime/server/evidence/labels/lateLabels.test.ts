import type { Signature, Tensor } from '@slipway/crds/contract';
import { describe, expect, test } from 'vitest';
import { RequestError } from '../../requestError.ts';
import { type Elements, roomFor, type TensorValue } from '../../tensor.ts';
import type { EvidenceOptions } from '../countingEvidence.ts';
import { BASELINE, evidenceWith, START } from '../testing/evidence.ts';

const NOW = START.getTime();
const signature = (...outputs: Tensor[]): Signature => ({ inputs: [], outputs });
const scores: Tensor = { name: 'scores', datatype: 'FP32', shape: [-1, 3] };
const probability: Tensor = { name: 'probability', datatype: 'FP32', shape: [-1, 1] };
const classes: Tensor = { name: 'class', datatype: 'INT64', shape: [-1] };
const texts: Tensor = { name: 'text', datatype: 'BYTES', shape: [-1] };

function answer({ name, datatype, shape }: Tensor, ...values: readonly (number | bigint | string)[]): TensorValue {
  const elements = roomFor(datatype, values.length);
  values.forEach((value, i) => {
    (elements as (typeof value)[])[i] = value;
  });
  const width = shape.length > 1 ? (shape[1] as number) : 1;
  const rows = values.length / width;
  return { name, datatype, shape: shape.length > 1 ? [rows, width] : [rows], elements: elements as Elements };
}

/** What two labels say of one answer, the second right after the first on evidence of its own. */
function verdicts(
  options: Partial<EvidenceOptions>,
  output: TensorValue,
  ...labels: readonly (string | number | boolean)[]
): readonly string[] {
  return labels.map((label) => {
    const evidence = evidenceWith(options);
    evidence.remember('a', [output], NOW);
    return evidence.label('a', label, NOW);
  });
}

describe('a late label', () => {
  const names = { labels: ['cat', 'dog', 'owl'] };
  const [wide] = BASELINE.predictions;
  const trained = { ...BASELINE, features: [], predictions: wide ? [{ ...wide, tensor: 'probability' }] : [] };

  test.each<[string, Partial<EvidenceOptions>, TensorValue, readonly (string | number | boolean)[]]>([
    [
      'the greatest of several scores',
      { signature: signature(scores), ...names },
      answer(scores, 1, 9, 3),
      [1, 'dog', '1'],
    ],
    [
      'an integer output, though scores stand before it',
      { signature: signature(scores, classes) },
      answer(classes, 4n),
      [4],
    ],
    ['a text output', { signature: signature(texts) }, answer(texts, 'late'), ['late']],
    [
      'a probability by two class names',
      { signature: signature(probability), labels: ['no', 'yes'] },
      answer(probability, 0.5),
      [1, 'yes', true],
    ],
    [
      'a probability by what training saw',
      { signature: signature(probability), baseline: trained },
      answer(probability, 0.4),
      [0, false],
    ],
    ['a number', { signature: signature(probability) }, answer(probability, 1234.5), [1234, '1235']],
  ])('is right when it is %s', (_what, options, output, labels) => {
    expect(verdicts(options, output, ...labels)).toEqual(labels.map(() => 'right'));
  });

  test.each<[string, Partial<EvidenceOptions>, TensorValue, readonly (string | number | boolean)[]]>([
    ['another class', { signature: signature(scores), ...names }, answer(scores, 1, 9, 3), [0, 'owl']],
    ['another text', { signature: signature(texts) }, answer(texts, 'late'), ['early', 'Late']],
    [
      'the other side of a half',
      { signature: signature(probability), labels: ['no', 'yes'] },
      answer(probability, 0.49),
      [1],
    ],
    ['a number farther than a thousandth', { signature: signature(probability) }, answer(probability, 1234.5), [1200]],
  ])('is wrong when it is %s', (_what, options, output, labels) => {
    expect(verdicts(options, output, ...labels)).toEqual(labels.map(() => 'wrong'));
  });

  test.each<[string, Partial<EvidenceOptions>, string | number | boolean, string]>([
    [
      'a name that no class has',
      { signature: signature(scores), ...names },
      'cow',
      '"cow" is no label of this model; send the number of a class or one of its 3 names, such as "cat", "dog" and "owl".',
    ],
    ['a class beyond the last', { signature: signature(scores), ...names }, 3, '3 is no label of this model;'],
    [
      'half a class',
      { signature: signature(scores) },
      0.5,
      '0.5 is no label of this model; send the number of a class.',
    ],
    ['an empty text', { signature: signature(scores) }, ' ', '" " is no label of this model;'],
    [
      'no number for a number',
      { signature: signature(probability) },
      'much',
      '"much" is no label of this model; send a number.',
    ],
  ])('is refused when it is %s, and is not counted', (_what, options, label, sentence) => {
    const evidence = evidenceWith(options);
    expect(() => evidence.label('a', label, NOW)).toThrow(RequestError);
    expect(() => evidence.label('a', label, NOW)).toThrow(sentence);
    expect(evidence.counts().labels).toMatchObject({ right: 0, wrong: 0, unknown: 0 });
  });

  test('counts in the batch of the second in which its request was answered, whenever it comes', () => {
    const evidence = evidenceWith({ signature: signature(scores) });
    for (const [i, id] of ['a', 'b', 'c', 'd'].entries())
      evidence.remember(id, [answer(scores, 1, 9, 3)], NOW + i * 400);
    for (const [id, label] of [
      ['d', 0],
      ['a', 0],
      ['c', 1],
      ['b', 1],
    ] as const)
      evidence.label(id, label, NOW + 50_000);
    // a, b and c of the first second, one of them wrong; d of the next.
    const batches = { seconds: 2, wrongSquaredOverLabelled: expect.closeTo(1 / 3 + 1, 9) };
    expect(evidence.counts().labels).toEqual({ right: 2, wrong: 2, unknown: 0, batches });
  });

  test('counts once, and the first stands', () => {
    const evidence = evidenceWith({ signature: signature(scores) });
    evidence.remember('a', [answer(scores, 1, 9, 3)], NOW);
    expect(['1', 1, 0].map((label) => evidence.label('a', label, NOW))).toEqual(['right', 'right', 'right']);
    expect(evidence.counts().labels).toMatchObject({ right: 1, wrong: 0, unknown: 0 });
  });

  test('for a request that is not remembered, or not any more, is unknown', () => {
    const evidence = evidenceWith({ signature: signature(scores) });
    evidence.remember('a', [answer(scores, 1, 9, 3)], NOW);
    expect(evidence.label('b', 1, NOW)).toBe('unknown');
    expect(evidence.label('a', 1, NOW + 60_001)).toBe('unknown');
    expect(evidence.counts().labels?.unknown).toBe(0); // not before nobody else knows it either
    evidence.countUnknownLabels(2);
    expect(evidence.counts().labels?.unknown).toBe(2);
  });

  test.each([
    ['none', { maxAnswers: 0, maxAgeSeconds: 60 }, ['unknown', 'unknown']],
    ['the newest only', { maxAnswers: 1, maxAgeSeconds: 60 }, ['unknown', 'right']],
    ['those of the last seconds', { maxAnswers: 9, maxAgeSeconds: 3 }, ['unknown', 'right']],
  ])('finds what the settings let be remembered: %s', (_what, feedback, said) => {
    const evidence = evidenceWith({ signature: signature(scores), feedback });
    evidence.remember('old', [answer(scores, 1, 9, 3)], NOW);
    evidence.remember('new', [answer(scores, 1, 9, 3)], NOW + 2000);
    expect(['old', 'new'].map((id) => evidence.label(id, 1, NOW + 4000))).toEqual(said);
  });

  test('finds each row of a request of several by its number', () => {
    const evidence = evidenceWith({ signature: signature(scores) });
    evidence.remember('a', [answer(scores, 9, 0, 0, 0, 9, 0)], NOW);
    expect([evidence.label('a#0', 0, NOW), evidence.label('a#1', 0, NOW)]).toEqual(['right', 'wrong']);
    expect(evidence.label('a', 0, NOW)).toBe('unknown');
  });

  test('is unknown for a request that did not ask for the output', () => {
    const evidence = evidenceWith({ signature: signature(scores, classes) });
    evidence.remember('a', [answer(scores, 9, 0, 0)], NOW);
    expect(evidence.label('a', 0, NOW)).toBe('unknown');
  });
});

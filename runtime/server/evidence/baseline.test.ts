import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { BASELINE_SCHEMA, type Baseline, type Signature } from '@slipway/crds/contract';
import { describe, expect, test } from 'vitest';
import { Failure } from '../../artifact/failure.ts';
import { temporaryFolder } from '../../test/temporaryFolder.ts';
import { readBaseline } from './baseline.ts';
import { BASELINE, SIGNATURE } from './testing/evidence.ts';

const [distance, colour] = BASELINE.features;

async function failureOf(content: string, signature: Signature = SIGNATURE): Promise<string> {
  const folder = await temporaryFolder('baseline');
  await writeFile(join(folder, 'baseline.json'), content);
  const error = await readBaseline(folder, signature).catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(Failure);
  expect((error as Failure).reason).toBe('OutputInvalid');
  return (error as Failure).message;
}

describe('baseline.json', () => {
  test('is read as it is', async () => {
    const folder = await temporaryFolder('baseline');
    await writeFile(join(folder, 'baseline.json'), JSON.stringify(BASELINE));
    expect(await readBaseline(folder, SIGNATURE)).toEqual(BASELINE);
  });

  test('may be left out', async () => {
    expect(await readBaseline(await temporaryFolder('baseline'), SIGNATURE)).toBeUndefined();
  });

  test.each([
    ['is not JSON', '{', 'baseline.json is not a baseline: Invalid input: expected object, received undefined.'],
    [
      'is of another kind',
      '{"schema":"other"}',
      `baseline.json is not a baseline: schema: Invalid input: expected "${BASELINE_SCHEMA}".`,
    ],
  ])('is refused when it %s', async (_what, content, sentence) => {
    expect(await failureOf(content)).toBe(sentence);
  });

  test.each<[string, object, string]>([
    [
      'lies in a tensor that is not there',
      { ...distance, tensor: 'y' },
      'feature "distance" lies in "y", which is no input of the model',
    ],
    [
      'lies beyond its tensor',
      { ...distance, index: 2 },
      'feature "distance" is entry 2 of "x", which has 2 (the first is 0)',
    ],
    [
      'is numeric where the tensor holds text',
      { ...distance, tensor: 'colour', index: 0 },
      'feature "distance" is numeric, but "colour" holds text',
    ],
    [
      'lists a text where the tensor holds numbers',
      { ...colour, tensor: 'x' },
      'feature "colour" lists the category "red", but "x" holds numbers',
    ],
    [
      'lists two categories that are one number in the tensor',
      {
        ...colour,
        tensor: 'x',
        categories: [
          { value: 1, count: 1 },
          { value: true, count: 1 },
        ],
      },
      'feature "colour" lists the category true twice',
    ],
    ['has its ends the wrong way round', { ...distance, min: 11 }, 'feature "distance" has a min above its max'],
  ])('is refused when a feature %s', async (_what, feature, sentence) => {
    const content = JSON.stringify({ ...BASELINE, features: [feature] });
    expect(await failureOf(content)).toBe(`baseline.json: ${sentence}.`);
  });

  test.each<[string, object, string]>([
    ['fall', { edges: [2, 1], counts: [0, 0, 0] }, 'edges must rise'],
    ['have too few counts', { edges: [1, 2], counts: [0, 0] }, 'counts must have one entry more than edges'],
  ])('is refused when edges %s', async (_what, bins, complaint) => {
    const content = JSON.stringify({ ...BASELINE, features: [{ ...distance, bins }] });
    expect(await failureOf(content)).toBe(`baseline.json is not a baseline: features.0.bins: ${complaint}.`);
  });

  test('is refused when two features have one name, or a prediction is no output', async () => {
    expect(await failureOf(JSON.stringify({ ...BASELINE, features: [distance, distance] }))).toBe(
      'baseline.json: feature "distance" is there twice.',
    );
    expect(await failureOf(JSON.stringify({ ...BASELINE, predictions: [distance] }))).toBe(
      'baseline.json: prediction "distance" lies in "x", which is no output of the model.',
    );
  });

  test('is refused when its evidence would be too large to read every second', async () => {
    const edges = Array.from({ length: 1023 }, (_, i) => i);
    const bins = { edges, counts: new Array<number>(1024).fill(1) };
    const features = Array.from({ length: 65 }, (_, i) => ({ ...distance, name: `f${i}`, bins }));
    expect(await failureOf(JSON.stringify({ ...BASELINE, features, predictions: [] } as Baseline))).toBe(
      'baseline.json: there are 66560 bins, at most 65536 can be counted.',
    );
  });

  test('may speak of an entry that only the caller decides on', async () => {
    const folder = await temporaryFolder('baseline');
    await writeFile(join(folder, 'baseline.json'), JSON.stringify({ ...BASELINE, predictions: [] }));
    const open: Signature = { ...SIGNATURE, inputs: SIGNATURE.inputs.map((input) => ({ ...input, shape: [-1, -1] })) };
    expect((await readBaseline(folder, open))?.features).toHaveLength(2);
  });
});

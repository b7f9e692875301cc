import type { Signature } from '@slipway/crds/contract';
import { describe, expect, test } from 'vitest';
import { differenceOf, replayGolden } from './golden.ts';
import { agreedSignature } from './signature.ts';

const answer = (elements: readonly number[]) => ({
  name: 'p',
  datatype: 'FP32' as const,
  shape: [elements.length],
  elements: Float32Array.from(elements),
});
const expected = (data: (number | string)[]) => ({ name: 'p', datatype: 'FP32' as const, shape: [data.length], data });

describe('a golden answer', () => {
  test.each([
    ['the same', [0.5], [0.5], undefined],
    ['within the absolute tolerance', [0], [0.009], undefined],
    ['within the relative tolerance', [100], [101], undefined],
    ['beyond both', [100], [101.1], /^element 0 is 101\.0999.*, expected 100 \(tolerance 0\.01\)$/],
    ['of another length', [1], [1, 2], /^is FP32\[2\], expected FP32\[1\]$/],
    ['not a number', [1], [Number.NaN], /^element 0 is NaN, expected 1/],
    ['not a number where that is expected', ['NaN'], [Number.NaN], undefined],
  ])('%s', (_what, want, got, fault) => {
    const difference = differenceOf(expected(want), answer(got), 0.01);
    if (fault) expect(difference).toMatch(fault);
    else expect(difference).toBeUndefined();
  });

  test('must be exact where it is not a float', () => {
    const codes = { name: 'c', datatype: 'INT64' as const, shape: [1], elements: BigInt64Array.of(100n) };
    const want = { name: 'c', datatype: 'INT64' as const, shape: [1] };
    expect(differenceOf({ ...want, data: [100] }, codes, 0.5)).toBeUndefined();
    expect(differenceOf({ ...want, data: [101] }, codes, 0.5)).toContain('element 0 is 100, expected 101');
    const flags = { name: 'c', datatype: 'BOOL' as const, shape: [1], elements: Uint8Array.of(1) };
    expect(differenceOf({ ...want, datatype: 'BOOL', data: [true] }, flags, 0.5)).toBeUndefined();
    expect(differenceOf({ ...want, datatype: 'BOOL', data: [false] }, flags, 0.5)).toContain('expected false');
  });

  test('that lists fewer values than its shape is no proof', () => {
    const short = { ...expected([1]), shape: [2] };
    expect(differenceOf(short, answer([1, 2]), 0.01)).toBe('has 2 elements, expected 1');
  });
});

const signature: Signature = {
  inputs: [{ name: 'x', datatype: 'FP32', shape: [-1] }],
  outputs: [{ name: 'p', datatype: 'FP32', shape: [-1] }],
};

test.each([
  ['an input that the model refuses', [{ name: 'x', datatype: 'FP32' as const, shape: [2], data: [1] }], /Input "x"/],
  ['no input', [], /Input "x" is missing/],
])('a golden request with %s names its line', async (_what, inputs, sentence) => {
  const run = async () => [answer([1])];
  const replayed = replayGolden([{ inputs, outputs: [expected([1])], tolerance: 1e-4 }], signature, run);
  await expect(replayed).rejects.toThrow(/^Request 1 of golden\.jsonl: /);
  await expect(replayed).rejects.toThrow(sentence);
});

describe('signature.json against the model', () => {
  const model: Signature = {
    inputs: [{ name: 'x', datatype: 'FP32', shape: [-1, 9] }],
    outputs: [
      { name: 'p', datatype: 'FP32', shape: [-1] },
      { name: 'extra', datatype: 'FP32', shape: [-1] },
    ],
  };
  const promise = (inputs: Signature['inputs'], outputs: Signature['outputs'] = []) => ({ inputs, outputs });

  test('may be missing, may fix an open dimension and may leave an output out', () => {
    expect(agreedSignature(undefined, model)).toBe(model);
    const narrow = promise([{ name: 'x', datatype: 'FP32', shape: [1, 9] }], model.outputs.slice(0, 1));
    expect(agreedSignature(narrow, model)).toBe(narrow);
  });

  test.each([
    ['opens a fixed dimension', promise([{ name: 'x', datatype: 'FP32', shape: [-1, -1] }])],
    ['names another datatype', promise([{ name: 'x', datatype: 'FP64', shape: [-1, 9] }])],
    ['names another rank', promise([{ name: 'x', datatype: 'FP32', shape: [9] }])],
    ['lacks an input', promise([])],
    ['names an output that is not there', promise(model.inputs, [{ name: 'q', datatype: 'FP32', shape: [] }])],
  ])('is refused when it %s', (_what, promised) => {
    expect(() => agreedSignature(promised, model)).toThrow(
      expect.objectContaining({ reason: 'SignatureInvalid', message: expect.stringMatching(/^signature\.json .*\.$/) }),
    );
  });
});

import type { Signature } from '@slipway/crds/contract';
import { describe, expect, test } from 'vitest';
import { agreedSignature } from './signature.ts';

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
    expect(agreedSignature(narrow, model)).toEqual(narrow);
  });

  test.each([
    ['opens a fixed dimension', promise([{ name: 'x', datatype: 'FP32', shape: [-1, -1] }])],
    ['names another datatype', promise([{ name: 'x', datatype: 'FP64', shape: [-1, 9] }])],
    ['names another rank', promise([{ name: 'x', datatype: 'FP32', shape: [9] }])],
    ['lacks an input', promise([])],
    ['names too few columns', promise([{ name: 'x', datatype: 'FP32', shape: [-1, 9], columns: ['a'] }])],
    ['names a column twice', promise([{ name: 'x', datatype: 'FP32', shape: [-1, 9], columns: [...'abcdefghh'] }])],
    ['names an output that is not there', promise(model.inputs, [{ name: 'q', datatype: 'FP32', shape: [] }])],
  ])('is refused when it %s', (_what, promised) => {
    expect(() => agreedSignature(promised, model)).toThrow(
      expect.objectContaining({ reason: 'SignatureInvalid', message: expect.stringMatching(/^signature\.json .*\.$/) }),
    );
  });

  test('puts its inputs in the order of the model', () => {
    const tensors = ['a', 'b'].map((name) => ({ name, datatype: 'FP32' as const, shape: [1] }));
    const agreed = agreedSignature(promise(tensors.toReversed()), { inputs: tensors, outputs: [] });
    expect(agreed.inputs).toEqual(tensors);
  });
});

import type { Signature } from '@slipway/crds/contract';
import { describe, expect, test } from 'vitest';
import type { TensorValue } from '../tensor.ts';
import { differenceOf, replayGolden } from './golden.ts';

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

const x = { name: 'x', datatype: 'FP32' as const, shape: [1] };

test.each([
  ['too few elements', [{ ...x, shape: [2], data: [1] }], /input "x" has 1 elements, its shape \[2\] means 2\.$/],
  ['no input', [], /Input "x" is missing/],
  ['an unknown input', [{ ...x, name: 'z', data: [1] }], /There is no input "z"/],
  ['another rank', [{ ...x, shape: [1, 1], data: [1] }], /shape \[1,1\] does not fit \[-1\]/],
  ['an element of another kind', [{ ...x, data: ['one'] }], /element 0 is "one", which is no FP32\.$/],
])('a golden request with %s names its line', async (_what, inputs, sentence) => {
  const run = async () => [answer([1])];
  const replayed = replayGolden([{ inputs, outputs: [expected([1])], tolerance: 1e-4 }], signature, run);
  await expect(replayed).rejects.toThrow(/^Request 1 of golden\.jsonl: /);
  await expect(replayed).rejects.toThrow(sentence);
});

test('a golden request that names an output which is not there says so', async () => {
  const golden = { inputs: [{ ...x, data: [1] }], outputs: [{ ...expected([1]), name: 'q' }], tolerance: 1e-4 };
  await expect(replayGolden([golden], signature, async () => [])).rejects.toThrow('there is no output "q".');
});

test('half floats are compared as the numbers they stand for, and sent as such', async () => {
  const half = (name: string, data: number[]) => ({ name, datatype: 'FP16' as const, shape: [2], data });
  const brain = (name: string, data: number[]) => ({ name, datatype: 'BF16' as const, shape: [2], data });
  const halves: Signature = {
    inputs: [half('h', []), brain('b', [])].map(({ name, datatype }) => ({ name, datatype, shape: [2] })),
    outputs: [half('h', []), brain('b', [])].map(({ name, datatype }) => ({ name, datatype, shape: [2] })),
  };
  const tensors = [half('h', [1.5, -2]), brain('b', [3, 0.25])];
  const seen: unknown[] = [];
  const echo = async (inputs: readonly TensorValue[]) => {
    seen.push(...inputs.map(({ elements }) => Array.from(elements as Uint16Array)));
    return inputs;
  };
  await replayGolden([{ inputs: tensors, outputs: tensors, tolerance: 1e-4 }], halves, echo);
  expect(seen).toEqual([
    [0x3e00, 0xc000],
    [0x4040, 0x3e80],
  ]);
});

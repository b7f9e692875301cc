import type { Golden, Signature } from '@slipway/crds/contract';
import { expect, test } from 'vitest';
import type { TensorValue } from '../tensor.ts';
import { type WarmUpOptions, warmUp } from './warmUp.ts';

const signature: Signature = {
  inputs: [{ name: 'x', datatype: 'FP32', shape: [-1, 2] }],
  outputs: [{ name: 'y', datatype: 'FP32', shape: [-1] }],
};
const golden: readonly Golden[] = [
  { inputs: [{ name: 'x', datatype: 'FP32', shape: [2, 2], data: [1, 2, 3, 4] }], outputs: [], tolerance: 1e-4 },
];

/** A model whose first run takes 50 ms and whose others take one a row. */
function machine(options: Partial<WarmUpOptions> = {}) {
  let clock = 0;
  const runs: (readonly TensorValue[])[] = [];
  const run = async (inputs: readonly TensorValue[]) => {
    clock += runs.length === 0 ? 50 : (inputs[0]?.shape[0] ?? 0);
    runs.push(inputs);
    return [];
  };
  const batching = { maxSize: 12, preferredSizes: [6, 100] };
  const now = () => clock;
  return { runs, options: { signature, batchable: true, batching, golden: [], run, now, budgetMs: 1000, ...options } };
}

test('triton#7776: runs one row, powers of two, preferred sizes and the largest, and tells the first run from the others', async () => {
  const { options } = machine();
  expect(await warmUp(options)).toEqual({ sizes: [1, 2, 4, 6, 8, 12], skipped: [], firstMs: 50, steadyMs: 1 });
});

test('begins no size when its time is over, but always learns what a second run takes', async () => {
  const { options, runs } = machine({ budgetMs: 20 });
  expect(await warmUp(options)).toMatchObject({ sizes: [1], skipped: [2, 4, 6, 8, 12], firstMs: 50, steadyMs: 1 });
  expect(runs).toHaveLength(2);
});

test('triton#708, #5326: repeats the rows of the first golden request', async () => {
  const { options, runs } = machine({ golden, batching: { maxSize: 3, preferredSizes: [3] } });
  await warmUp(options);
  expect(runs.at(-1)?.[0]).toMatchObject({ shape: [3, 2], elements: Float32Array.of(1, 2, 3, 4, 1, 2) });
});

test('sends a model that is not batched the golden request as it is, or zeros with free dimensions of one', async () => {
  const alone = machine({ golden, batchable: false });
  await warmUp(alone.options);
  expect(new Set(alone.runs.map(([x]) => x?.shape.join()))).toEqual(new Set(['2,2']));
  const blank = machine({ batchable: false });
  await warmUp(blank.options);
  expect(blank.runs[0]?.[0]).toMatchObject({ shape: [1, 2], elements: Float32Array.of(0, 0) });
});

test('a model that does not run on zeros is not to blame', async () => {
  const run = async () => Promise.reject(new Error('indices element out of data bounds'));
  expect(await warmUp(machine({ run }).options)).toMatchObject({
    sizes: [],
    complaint: 'indices element out of data bounds',
  });
});

import * as fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { type Backend, chooseBackend, type TensorFlow } from './backend.ts';

let chosen: Backend;
let tf: TensorFlow;
beforeAll(async () => {
  chosen = await chooseBackend();
  tf = chosen.tf;
});

describe('the backend', () => {
  it('is the first that loads, and says why those before it did not', async () => {
    const broken = (name: 'tfjs-node-gpu' | 'tfjs-node') => ({
      name,
      load: () => Promise.reject(new Error(`${name}.so is missing\nRequire stack: ...`)),
    });
    const pure = { name: 'tfjs' as const, load: async () => tf };
    const { name, reason } = await chooseBackend([broken('tfjs-node-gpu'), broken('tfjs-node'), pure]);
    expect(name).toBe('tfjs');
    expect(reason).toBe(
      'tfjs computes on cpu; tfjs-node-gpu is not used: tfjs-node-gpu.so is missing; tfjs-node is not used: tfjs-node.so is missing',
    );
  });

  it('is an error that names every candidate when none loads', async () => {
    const load = () => Promise.reject(new Error('no'));
    await expect(chooseBackend([{ name: 'tfjs', load }])).rejects.toThrow(
      'no TensorFlow.js backend loads: tfjs is not used: no',
    );
  });
});

describe('the sum of segments', () => {
  it('adds each row to its segment and drops ids outside the table', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.integer({ min: -1, max: 6 }), fc.integer({ min: -9, max: 9 }), fc.integer()), {
          minLength: 1,
          maxLength: 30,
        }),
        fc.integer({ min: 1, max: 6 }),
        (rows, segments) => {
          const values = rows.map(([, a, b]) => [a, b % 7]);
          const expected = Array.from({ length: segments }, (_, segment) =>
            [0, 1].map((column) =>
              rows.reduce((sum, [id], row) => (id === segment ? sum + (values[row]?.[column] ?? 0) : sum), 0),
            ),
          );
          const ids = rows.map(([id]) => id);
          const sums = tf.tidy(() =>
            tf.unsortedSegmentSum(tf.tensor2d(values), tf.tensor1d(ids, 'int32'), segments).arraySync(),
          );
          expect(sums).toEqual(expected.map((row) => row.map((x) => x + 0)));
        },
      ),
    );
  });
});

import type { LayersModel } from '@tensorflow/tfjs';
import * as fc from 'fast-check';
import * as ort from 'onnxruntime-node';
import { beforeAll, describe, expect, it } from 'vitest';
import { chooseBackend, type TensorFlow } from '../backend.ts';
import { exportModel } from './exportModel.ts';
import { largestDifference, runExported } from './parity.ts';

let tf: TensorFlow;
beforeAll(async () => {
  tf = (await chooseBackend()).tf;
});

const ROWS = 7;
const TABLE = 5;

interface Stack {
  readonly width: number;
  readonly dense: readonly {
    units: number;
    activation: 'linear' | 'relu' | 'sigmoid' | 'softmax' | 'tanh';
    bias: boolean;
  }[];
  readonly embedding: number;
  readonly seed: number;
}

const stacks: fc.Arbitrary<Stack> = fc.record({
  width: fc.integer({ min: 1, max: 6 }),
  dense: fc.array(
    fc.record({
      units: fc.integer({ min: 1, max: 9 }),
      activation: fc.constantFrom('linear', 'relu', 'sigmoid', 'softmax', 'tanh'),
      bias: fc.boolean(),
    }),
    { minLength: 1, maxLength: 4 },
  ),
  embedding: fc.integer({ min: 1, max: 4 }),
  seed: fc.integer({ min: 1, max: 1_000_000 }),
});

function build({ width, dense, embedding, seed }: Stack): LayersModel {
  const numeric = tf.input({ shape: [width] });
  const code = tf.input({ shape: [1] });
  const embeddingsInitializer = tf.initializers.randomNormal({ seed });
  const rows = tf.layers.embedding({ inputDim: TABLE, outputDim: embedding, embeddingsInitializer }).apply(code);
  const flat = tf.layers.flatten().apply(rows) as typeof numeric;
  let last = tf.layers.concatenate().apply([numeric, flat]) as typeof numeric;
  dense.forEach(({ units, activation, bias }, index) => {
    const kernelInitializer = tf.initializers.randomNormal({ seed: seed + index });
    const biasInitializer = tf.initializers.randomNormal({ seed: seed - index });
    const layer = tf.layers.dense({ units, activation, useBias: bias, kernelInitializer, biasInitializer });
    last = tf.layers.dropout({ rate: 0.5 }).apply(layer.apply(last)) as typeof numeric;
  });
  return tf.model({ inputs: [numeric, code], outputs: last });
}

describe('an exported model', () => {
  it('answers as the trained one does, whatever its layers', async () => {
    await fc.assert(
      fc.asyncProperty(stacks, async (stack) => {
        const model = build(stack);
        const mean = Array.from({ length: stack.width }, (_, i) => i - 1);
        const deviation = mean.map((_, i) => i + 0.5);
        const raw = Float32Array.from({ length: ROWS * stack.width }, (_, i) => Math.sin(i + stack.seed) * 3);
        const codes = Array.from({ length: ROWS }, (_, i) => (i * stack.seed) % TABLE);
        const normalised = raw.map((x, i) => (x - (mean[i % stack.width] ?? 0)) / (deviation[i % stack.width] ?? 1));
        const expected = tf.tidy(() =>
          (
            model.predict([tf.tensor2d(normalised, [ROWS, stack.width]), tf.tensor2d(codes, [ROWS, 1])]) as ReturnType<
              typeof tf.tensor
            >
          ).dataSync(),
        );
        const outputs = stack.dense.at(-1)?.units ?? 0;
        const bytes = exportModel(model, {
          name: 'stack',
          signature: {
            inputs: [
              { name: 'x', datatype: 'FP32', shape: [-1, stack.width] },
              { name: 'code', datatype: 'INT64', shape: [-1, 1] },
            ],
            outputs: [{ name: 'y', datatype: 'FP32', shape: [-1, outputs] }],
          },
          normalisation: { x: { mean, deviation } },
        });
        const actual = await runExported(bytes, {
          x: new ort.Tensor('float32', raw, [ROWS, stack.width]),
          code: new ort.Tensor('int64', BigInt64Array.from(codes, BigInt), [ROWS, 1]),
        });
        model.dispose();
        const scale = Math.max(1, ...expected.map(Math.abs));
        expect(largestDifference(expected, actual) / scale).toBeLessThan(1e-5);
      }),
      { numRuns: 40, seed: 20010101 },
    );
  });

  it('is refused when a layer has no translation, naming those that have one', () => {
    const input = tf.input({ shape: [4] });
    const output = tf.layers.batchNormalization().apply(input) as typeof input;
    const model = tf.model({ inputs: input, outputs: output });
    const tensor = (name: string) => ({ name, datatype: 'FP32' as const, shape: [-1, 4] });
    expect(() =>
      exportModel(model, { name: 'm', signature: { inputs: [tensor('x')], outputs: [tensor('y')] } }),
    ).toThrow(/BatchNormalization, which has no ONNX export; use one of Dense, Embedding/);
  });
});

describe('the largest difference', () => {
  it.each([
    ['of equal numbers is zero', [1, 2], [1, 2], 0],
    ['is the worst of all', [1, 2, 3], [1.5, 2, 2], 1],
    ['of different lengths is infinite', [1], [1, 2], Number.POSITIVE_INFINITY],
    ['to a NaN is infinite', [1, 2], [Number.NaN, 2], Number.POSITIVE_INFINITY],
  ])('%s', (_name, expected, actual, difference) => {
    expect(largestDifference(expected, actual)).toBe(difference);
  });
});

import { setImmediate } from 'node:timers/promises';
import type { LayersModel, Tensor } from '@tensorflow/tfjs';
import type { TensorFlow } from '../backend.ts';
import type { Normalisation } from '../export/exportModel.ts';
import type { Parameters } from '../parameters.ts';
import type { ReportProgress } from '../progress.ts';
import { type Examples, NUMERIC_FEATURES } from './features.ts';
import { normalised } from './normalise.ts';
import { sampleRows } from './split.ts';

export interface Fit {
  readonly tf: TensorFlow;
  readonly model: LayersModel;
  readonly normalisation: Normalisation;
  readonly parameters: Pick<Parameters, 'epochs' | 'batchSize' | 'seed'>;
  readonly report: ReportProgress;
}

/** Trains in place and returns the mean loss of the last epoch. Batches are drawn by the seed, anew each epoch. */
export async function fit(run: Fit, examples: Examples): Promise<number> {
  const { epochs, batchSize, seed } = run.parameters;
  const count = examples.rows.length;
  const stepsPerEpoch = Math.ceil(count / batchSize);
  const numbers = Array.from({ length: count }, (_, i) => i);
  let loss = Number.NaN;
  for (let epoch = 0; epoch < epochs; epoch++) {
    const order = sampleRows(numbers, count, seed + epoch);
    let sum = 0;
    for (let step = 0; step < stepsPerEpoch; step++) {
      sum += await trainBatch(run, examples, order.slice(step * batchSize, (step + 1) * batchSize));
      loss = sum / (step + 1);
      const done = epoch * stepsPerEpoch + step + 1;
      await run.report({ step: done, total: epochs * stepsPerEpoch, epoch, metrics: { loss } });
      // The pure backend never leaves the microtask queue by itself; signals are only seen when it does.
      await setImmediate();
    }
  }
  return loss;
}

async function trainBatch({ tf, model, normalisation }: Fit, examples: Examples, batch: readonly number[]) {
  const picked = pick(examples, batch);
  const inputs = inputsOf(tf, picked, normalisation);
  const labels = tf.tensor2d(picked.label, [batch.length, 1]);
  const loss = await model.trainOnBatch(inputs, labels);
  tf.dispose([inputs, labels]);
  return Number(loss);
}

function pick(examples: Examples, batch: readonly number[]): Examples {
  const width = NUMERIC_FEATURES.length;
  const numeric = new Float32Array(batch.length * width);
  batch.forEach((index, i) => {
    numeric.set(examples.numeric.subarray(index * width, (index + 1) * width), i * width);
  });
  return {
    rows: batch,
    numeric,
    origin: Int32Array.from(batch, (index) => examples.origin[index] ?? 0),
    destination: Int32Array.from(batch, (index) => examples.destination[index] ?? 0),
    label: Float32Array.from(batch, (index) => examples.label[index] ?? 0),
  };
}

/** Probability of delay of each example, by the trained model itself. */
export function predict({ tf, model, normalisation }: Pick<Fit, 'tf' | 'model' | 'normalisation'>, examples: Examples) {
  return tf.tidy(() => {
    const output = model.predict(inputsOf(tf, examples, normalisation), { batchSize: 4096 }) as Tensor;
    return Float32Array.from(output.dataSync());
  });
}

const inputsOf = (tf: TensorFlow, examples: Examples, normalisation: Normalisation): Tensor[] => {
  const count = examples.rows.length;
  return [
    tf.tensor2d(normalised(examples.numeric, normalisation), [count, NUMERIC_FEATURES.length]),
    tf.tensor2d(examples.origin, [count, 1], 'int32'),
    tf.tensor2d(examples.destination, [count, 1], 'int32'),
  ];
};

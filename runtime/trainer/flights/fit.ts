import { setImmediate } from 'node:timers/promises';
import type { LayersModel, Tensor } from '@tensorflow/tfjs';
import type { TensorFlow } from '../backend.ts';
import { loadCheckpoint, type Standing, saveCheckpoint } from '../checkpoint.ts';
import type { Normalisation } from '../export/exportModel.ts';
import type { Parameters } from '../parameters.ts';
import type { ReportProgress } from '../progress.ts';
import { Stopped, type StopRequest } from '../stopRequest.ts';
import { type Examples, NUMERIC_FEATURES } from './features.ts';
import { normalised } from './normalise.ts';
import { sampleRows } from './split.ts';

export interface Fit {
  readonly tf: TensorFlow;
  readonly model: LayersModel;
  readonly normalisation: Normalisation;
  readonly parameters: Pick<Parameters, 'epochs' | 'batchSize' | 'seed' | 'checkpointEvery'>;
  readonly report: ReportProgress;
  readonly keep?: Keeping | undefined;
}

/** Where checkpoints are kept, and who may ask for one before its time. */
export interface Keeping {
  /** Folder of checkpoints. */
  readonly folder: string;
  /** The checkpoint to go on from; where it is absent or of another model, training begins anew. */
  readonly resumeFrom: string | undefined;
  readonly stop: Pick<StopRequest, 'asked'>;
  readonly say: (line: string) => void;
}

/**
 * Trains in place and returns the mean loss of the last epoch. Batches are drawn by the seed, anew each epoch, so a
 * training that goes on from a checkpoint sees the batches that it would have seen. Throws Stopped, the last step saved,
 * when it is asked to stop.
 */
export async function fit(run: Fit, examples: Examples): Promise<number> {
  const { epochs, batchSize } = run.parameters;
  const stepsPerEpoch = Math.ceil(examples.rows.length / batchSize);
  const total = epochs * stepsPerEpoch;
  let { step, lossSum } = await beginning(run);
  let order: readonly number[] = [];
  let drawn = -1;
  while (step < total) {
    const epoch = Math.floor(step / stepsPerEpoch);
    const within = step % stepsPerEpoch;
    if (within === 0) lossSum = 0;
    if (epoch !== drawn) order = orderOf(run, examples, epoch);
    drawn = epoch;
    lossSum += await trainBatch(run, examples, order.slice(within * batchSize, (within + 1) * batchSize));
    step += 1;
    await run.report({ step, total, epoch, metrics: { loss: lossSum / (within + 1) } });
    await keep(run, { step, lossSum });
    // The pure backend never leaves the microtask queue by itself; signals are only seen when it does.
    await setImmediate();
  }
  return lossSum / stepsPerEpoch;
}

function orderOf({ parameters }: Fit, { rows }: Examples, epoch: number): readonly number[] {
  const numbers = Array.from({ length: rows.length }, (_, i) => i);
  return sampleRows(numbers, rows.length, parameters.seed + epoch);
}

async function beginning({ tf, model, keep: keeping }: Fit): Promise<Standing> {
  const path = keeping?.resumeFrom;
  const found = path === undefined ? undefined : await loadCheckpoint(tf, path, model);
  if (found !== undefined) keeping?.say(`goes on from the checkpoint of step ${found.step}`);
  return found ?? { step: 0, lossSum: 0 };
}

async function keep({ model, parameters, keep: keeping }: Fit, standing: Standing): Promise<void> {
  if (keeping === undefined) return;
  const { asked } = keeping.stop;
  const isDue = parameters.checkpointEvery > 0 && standing.step % parameters.checkpointEvery === 0;
  if (asked || isDue) await saveCheckpoint(keeping.folder, model, standing);
  if (asked) throw new Stopped(`Asked to stop: step ${standing.step} is kept.`);
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

import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { FILES } from '@slipway/crds/contract';
import type { LayersModel, Tensor } from '@tensorflow/tfjs';
import * as z from 'zod';
import { jsonOf } from '../artifact/json.ts';
import type { TensorFlow } from './backend.ts';

/** How far training is: what, beside the weights, the next step depends on. */
export interface Standing {
  /** Steps done. */
  readonly step: number;
  /** Sum of the losses of the present epoch. */
  readonly lossSum: number;
}

interface NamedTensor {
  readonly name: string;
  readonly tensor: Tensor;
}

/** The part of an optimizer of TensorFlow.js that its types hide. */
interface SavedOptimizer {
  getWeights(): Promise<NamedTensor[]>;
  setWeights(weights: NamedTensor[]): Promise<void>;
}

const tensorSchema = z.object({
  name: z.string(),
  shape: z.array(z.int().min(0)),
  dtype: z.enum(['float32', 'int32']),
});
const stateSchema = z.object({
  step: z.int().min(0),
  lossSum: z.number(),
  model: z.array(tensorSchema),
  optimizer: z.array(tensorSchema),
});
type State = z.infer<typeof stateSchema>;

const STATE = 'state.json';
const VALUES = 'values.bin';
const BYTES = 4;

const sizeOf = (shape: readonly number[]): number => shape.reduce((product, size) => product * size, 1);
const describe = ({ name, tensor }: NamedTensor) => ({ name, shape: tensor.shape, dtype: tensor.dtype });

const optimizerOf = (model: LayersModel): SavedOptimizer => model.optimizer as unknown as SavedOptimizer;
const weightsOf = (model: LayersModel): NamedTensor[] =>
  model.getWeights().map((tensor, index) => ({ name: `weight-${index}`, tensor }));

/** Writes <folder>/<step> aside and renames it: one that has its name is whole, and says so by _COMPLETE. */
export async function saveCheckpoint(folder: string, model: LayersModel, standing: Standing): Promise<void> {
  const [weights, moments] = [weightsOf(model), await optimizerOf(model).getWeights()];
  const state = { ...standing, model: weights.map(describe), optimizer: moments.map(describe) };
  const values = await Promise.all([...weights, ...moments].map(({ tensor }) => tensor.data()));
  const path = join(folder, String(standing.step));
  const aside = `${path}.tmp`;
  await rm(aside, { recursive: true, force: true });
  await mkdir(aside, { recursive: true });
  const bytes = values.map((value) => Buffer.from(value.buffer, value.byteOffset, value.byteLength));
  await writeFile(join(aside, VALUES), Buffer.concat(bytes));
  await writeFile(join(aside, STATE), JSON.stringify(state));
  await writeFile(join(aside, FILES.complete), '');
  await rm(path, { recursive: true, force: true });
  await rename(aside, path);
}

function tensorsOf(tf: TensorFlow, specs: State['model'], values: Buffer, from: number): NamedTensor[] {
  let offset = from;
  return specs.map(({ name, shape, dtype }) => {
    const bytes = Uint8Array.from(values.subarray(offset, offset + sizeOf(shape) * BYTES)).buffer;
    offset += bytes.byteLength;
    const typed = dtype === 'int32' ? new Int32Array(bytes) : new Float32Array(bytes);
    return { name, tensor: tf.tensor(typed, shape, dtype) };
  });
}

const sameShapes = (model: LayersModel, { model: specs }: State): boolean =>
  JSON.stringify(weightsOf(model).map(({ tensor }) => tensor.shape)) ===
  JSON.stringify(specs.map(({ shape }) => shape));

/**
 * Puts the weights of a checkpoint into the model and the moments into its optimizer, and returns where training stood.
 * Undefined, the model untouched, where there is no checkpoint or it is that of a model of another shape.
 */
export async function loadCheckpoint(tf: TensorFlow, path: string, model: LayersModel): Promise<Standing | undefined> {
  const text = await readFile(join(path, STATE), 'utf8').catch(() => '');
  const parsed = stateSchema.safeParse(jsonOf(text));
  if (!parsed.success || !sameShapes(model, parsed.data)) return undefined;
  const state = parsed.data;
  const values = await readFile(join(path, VALUES));
  const weightBytes = state.model.reduce((sum, { shape }) => sum + sizeOf(shape) * BYTES, 0);
  const weights = tensorsOf(tf, state.model, values, 0);
  model.setWeights(weights.map(({ tensor }) => tensor));
  tf.dispose(weights.map(({ tensor }) => tensor));
  await optimizerOf(model).setWeights(tensorsOf(tf, state.optimizer, values, weightBytes));
  return { step: state.step, lossSum: state.lossSum };
}

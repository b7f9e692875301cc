/**
 * Writes the model repository that the real clients are run against: an identity of each datatype, a sum of two inputs,
 * a classifier with names for its classes, and a model with two versions.
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { tensorSchema } from '@slipway/crds/contract';
import { fp32, node, value } from '@slipway/runtime/onnx/builders.ts';
import { encodeModel, type OnnxModel } from '@slipway/runtime/onnx/model.ts';
import { affine } from '@slipway/runtime/test/artifacts.ts';
import { writeFlights } from '../docs/flightsModel.ts';

const DATATYPES = tensorSchema.shape.datatype.options;

const identity = (datatype: (typeof DATATYPES)[number]): OnnxModel => ({
  name: `identity_${datatype.toLowerCase()}`,
  inputs: [value('x', datatype, [-1, 3])],
  outputs: [value('y', datatype, [-1, 3])],
  initializers: [],
  nodes: [node('Identity', ['x'], 'y')],
});

/** sum = a + b, difference = a - b. */
const addSub: OnnxModel = {
  name: 'add_sub',
  inputs: [value('a', 'FP32', [-1, 4]), value('b', 'FP32', [-1, 4])],
  outputs: [value('sum', 'FP32', [-1, 4]), value('difference', 'FP32', [-1, 4])],
  initializers: [],
  nodes: [node('Add', ['a', 'b'], 'sum'), node('Sub', ['a', 'b'], 'difference')],
};

/** Probabilities of three classes: softmax of the three inputs. */
const classifier: OnnxModel = {
  name: 'classifier',
  inputs: [value('x', 'FP32', [-1, 3])],
  outputs: [value('probabilities', 'FP32', [-1, 3])],
  initializers: [],
  nodes: [node('Softmax', ['x'], 'probabilities', { axis: { i: 1 } })],
};

/** y = k·x: tells its versions apart. */
const times = (k: number): OnnxModel => ({
  name: 'times',
  inputs: [value('x', 'FP32', [-1, 1])],
  outputs: [value('y', 'FP32', [-1, 1])],
  initializers: [fp32('k', [1], [k])],
  nodes: [node('Mul', ['x', 'k'], 'y')],
});

async function put(folder: string, model: OnnxModel, files: Readonly<Record<string, string>> = {}): Promise<void> {
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, 'model.onnx'), encodeModel(model));
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text);
}

/** Every model of the suite, below `folder`. */
export async function writeRepository(folder: string): Promise<void> {
  for (const datatype of DATATYPES) await put(join(folder, `identity_${datatype.toLowerCase()}`), identity(datatype));
  await put(join(folder, 'affine'), affine);
  await put(join(folder, 'add_sub'), addSub);
  await put(join(folder, 'classifier'), classifier, { 'labels.txt': 'cat\ndog\nowl\n' });
  await put(join(folder, 'times', '1'), times(1));
  await put(join(folder, 'times', '2'), times(2));
  await writeFlights(join(folder, 'flights'));
}

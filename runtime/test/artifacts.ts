import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { hashArtifact } from '../artifact/hash.ts';
import { fp32, int64, node, value } from '../onnx/builders.ts';
import { encodeModel, type OnnxModel } from '../onnx/model.ts';
import { temporaryFolder } from './temporaryFolder.ts';

/** y = 2·x0 − 3·x1 + 0.5, any batch. */
export const affine: OnnxModel = {
  name: 'affine',
  inputs: [value('x', 'FP32', [-1, 2])],
  outputs: [value('y', 'FP32', [-1, 1])],
  initializers: [fp32('w', [2, 1], [2, -3]), fp32('b', [1], [0.5])],
  nodes: [node('Gemm', ['x', 'w', 'b'], 'y')],
};

/** y = x: answers the two probabilities that it is sent. */
export const echo: OnnxModel = {
  name: 'echo',
  inputs: [value('x', 'FP32', [-1, 2])],
  outputs: [value('y', 'FP32', [-1, 2])],
  initializers: [],
  nodes: [node('Identity', ['x'], 'y')],
};

/** A classifier as converters of scikit-learn write one: the number of a class, and the probabilities, which it is sent. */
export const classifier: OnnxModel = {
  name: 'classifier',
  inputs: [value('x', 'FP32', [-1, 3])],
  outputs: [value('label', 'INT64', [-1]), value('probabilities', 'FP32', [-1, 3])],
  initializers: [],
  nodes: [
    node('ArgMax', ['x'], 'label', { axis: { i: 1 }, keepdims: { i: 0 } }),
    node('Identity', ['x'], 'probabilities'),
  ],
};

/** y = the sum of that many inputs, one named tensor each. */
export function sumOf(count: number): OnnxModel {
  const names = Array.from({ length: count }, (_, i) => `x${i}`);
  return {
    name: 'sum',
    inputs: names.map((name) => value(name, 'FP32', [-1, 1])),
    outputs: [value('y', 'FP32', [-1, 1])],
    initializers: [],
    nodes: [node('Sum', names, 'y')],
  };
}

/** Rows of a table of three by INT64 code: fails at run time on any other code, as a model does on a new category. */
export const lookup: OnnxModel = {
  name: 'lookup',
  inputs: [value('code', 'INT64', [-1, 1])],
  outputs: [value('rows', 'FP32', [-1, 2])],
  initializers: [fp32('table', [3, 2], [1, 2, 3, 4, 5, 6]), int64('axes', [1], [1])],
  nodes: [node('Gather', ['table', 'code'], 'picked', { axis: { i: 0 } }), node('Squeeze', ['picked', 'axes'], 'rows')],
};

/** y = 1 / x: answers infinity for 0. */
export const reciprocal: OnnxModel = {
  name: 'reciprocal',
  inputs: [value('x', 'FP32', [-1])],
  outputs: [value('y', 'FP32', [-1])],
  initializers: [],
  nodes: [node('Reciprocal', ['x'], 'y')],
};

/** Multiplies large matrices before it answers x·0: of 1500 rows they keep a thread busy for some tenths of a second. */
export const slowBy = (rows: number): OnnxModel => ({
  name: 'slow',
  inputs: [value('x', 'FP32', [1])],
  outputs: [value('y', 'FP32', [])],
  initializers: [int64('size', [2], [rows, rows]), fp32('zero', [1], [0])],
  nodes: [
    node('Mul', ['x', 'zero'], 'nothing'),
    node('Expand', ['nothing', 'size'], 'm0'),
    node('MatMul', ['m0', 'm0'], 'm1'),
    node('MatMul', ['m1', 'm0'], 'm2'),
    node('MatMul', ['m2', 'm0'], 'm3'),
    node('ReduceMax', ['m3'], 'y', { keepdims: { i: 0 } }),
  ],
});

const BOXES = 300_000;

/**
 * Answers 0 for an x of 0. For an x of 1 it compares 300,000 boxes with each other, in one operator of one thread that
 * nothing can end: minutes.
 */
export const hanging: OnnxModel = {
  name: 'hanging',
  inputs: [value('x', 'FP32', [1])],
  outputs: [value('y', 'INT64', [])],
  initializers: [
    fp32(
      'boxes',
      [1, BOXES, 4],
      Float32Array.from({ length: 4 * BOXES }, (_, i) => (i >> 2) * 2 + (i % 4 > 1 ? 1 : 0)),
    ),
    fp32('none', [1, 1, BOXES], new Float32Array(BOXES)),
    int64('all', [1], [BOXES]),
    fp32('half', [1], [0.5]),
  ],
  nodes: [
    node('Add', ['none', 'x'], 'scores'),
    node('NonMaxSuppression', ['boxes', 'scores', 'all', 'half', 'half'], 'kept'),
    node('Size', ['kept'], 'y'),
  ],
};

export const slow: OnnxModel = slowBy(1500);

/** A dense network, inputs → widths in order, with ReLU between. Weights are a fixed pattern. */
export function mlp(widths: readonly number[]): OnnxModel {
  const layers = widths.slice(1).map((width, i) => ({ from: widths[i] as number, width, i }));
  const weights = (n: number) => Float32Array.from({ length: n }, (_, k) => Math.sin(k) / 8);
  return {
    name: 'mlp',
    inputs: [value('v0', 'FP32', [-1, widths[0] as number])],
    outputs: [value(`v${layers.length}`, 'FP32', [-1, widths.at(-1) as number])],
    initializers: layers.flatMap(({ from, width, i }) => [
      fp32(`w${i}`, [from, width], weights(from * width)),
      fp32(`b${i}`, [width], weights(width)),
    ]),
    nodes: layers.flatMap(({ i }) => [
      node('Gemm', [`v${i}`, `w${i}`, `b${i}`], `s${i}`),
      node(i === layers.length - 1 ? 'Identity' : 'Relu', [`s${i}`], `v${i + 1}`),
    ]),
  };
}

export interface TestArtifact {
  readonly directory: string;
  readonly digest: string;
}

/** Writes an artifact of the given files into a new temporary folder. */
export async function writeArtifact(files: Readonly<Record<string, string | Uint8Array>>): Promise<TestArtifact> {
  const directory = await temporaryFolder('served');
  for (const [name, content] of Object.entries(files)) await writeFile(join(directory, name), content);
  return { directory, digest: (await hashArtifact(directory)).digest };
}

/** An artifact of one model, with its golden requests as lines. */
export const modelArtifact = (model: OnnxModel, golden: readonly object[] = []): Promise<TestArtifact> =>
  writeArtifact({
    'model.onnx': encodeModel(model),
    ...(golden.length > 0 ? { 'golden.jsonl': golden.map((line) => JSON.stringify(line)).join('\n') } : {}),
  });

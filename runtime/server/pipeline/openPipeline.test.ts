import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { engineSettingsSchema } from '@slipway/crds/serving';
import { describe, expect, test } from 'vitest';
import { fp32, int64, node, value } from '../../onnx/builders.ts';
import { encodeModel, type OnnxModel } from '../../onnx/model.ts';
import { affine } from '../../test/artifacts.ts';
import { temporaryFolder } from '../../test/temporaryFolder.ts';
import { vocabulary } from '../../test/tokenizer.ts';
import type { Engine } from '../engine/engine.ts';
import { openEngine } from '../engine/openEngine.ts';
import { readModelFiles } from '../models/modelFiles.ts';
import type { TensorValue } from '../tensor.ts';
import { mayShareRuns, openPipeline } from './openPipeline.ts';

/** x = raw / 10, as a scaler of the training would do. */
const scaler: OnnxModel = {
  name: 'scaler',
  inputs: [value('raw', 'FP32', [-1, 2])],
  outputs: [value('x', 'FP32', [-1, 2])],
  initializers: [fp32('ten', [1], [10])],
  nodes: [node('Div', ['raw', 'ten'], 'x')],
};
/** late = y > 0. */
const threshold: OnnxModel = {
  name: 'threshold',
  inputs: [value('y', 'FP32', [-1, 1])],
  outputs: [value('late', 'BOOL', [-1, 1])],
  initializers: [fp32('zero', [1], [0])],
  nodes: [node('Greater', ['y', 'zero'], 'late')],
};
/** The mean of the ids that are not padding: like any model with a mask, it answers the same however far a text is padded. */
const meanId: OnnxModel = {
  name: 'meanId',
  inputs: [value('input_ids', 'INT64', [-1, -1]), value('attention_mask', 'INT64', [-1, -1])],
  outputs: [value('mean', 'FP32', [-1])],
  initializers: [int64('axis', [1], [1])],
  nodes: [
    node('Cast', ['input_ids'], 'ids', { to: { i: 1 } }),
    node('Cast', ['attention_mask'], 'mask', { to: { i: 1 } }),
    node('Mul', ['ids', 'mask'], 'kept'),
    node('ReduceSum', ['kept', 'axis'], 'sum', { keepdims: { i: 0 } }),
    node('ReduceSum', ['mask', 'axis'], 'count', { keepdims: { i: 0 } }),
    node('Div', ['sum', 'count'], 'mean'),
  ],
};

async function directoryOf(files: Readonly<Record<string, OnnxModel | object>>): Promise<string> {
  const directory = await temporaryFolder('pipeline');
  for (const [name, content] of Object.entries(files)) {
    const bytes = name.endsWith('.onnx') ? encodeModel(content as OnnxModel) : JSON.stringify(content);
    await writeFile(join(directory, name), bytes);
  }
  return directory;
}

const settings = engineSettingsSchema.parse({ threads: 1 });
const opened: Engine[] = [];

async function open(files: Readonly<Record<string, OnnxModel | object>>): Promise<Engine> {
  const read = await readModelFiles(await directoryOf(files));
  return openPipeline(read, {
    open: async (path) => {
      const engine = await openEngine({ path, digest: '', settings, cores: 1 });
      opened.push(engine);
      return engine;
    },
    truncateText: false,
  });
}

const floats = (name: string, shape: number[], ...elements: number[]): TensorValue => ({
  name,
  datatype: 'FP32',
  shape,
  elements: Float32Array.from(elements),
});
const texts = (...elements: string[]): TensorValue => ({
  name: 'text',
  datatype: 'BYTES',
  shape: [elements.length],
  elements,
});
const numbers = (tensors: readonly TensorValue[]) =>
  tensors.map(({ name, shape, elements }) => [name, shape, Array.from(elements as ArrayLike<number>, Number)]);

test('a model alone is its own engine', async () => {
  const engine = await open({ 'model.onnx': affine });
  expect(engine).toBe(opened.at(-1));
  await engine.close();
});

test('what training did before and after its model is done to each request', async () => {
  const engine = await open({ 'preprocess.onnx': scaler, 'model.onnx': affine, 'postprocess.onnx': threshold });
  expect(engine.signature).toEqual({
    inputs: [{ name: 'raw', datatype: 'FP32', shape: [-1, 2] }],
    outputs: [{ name: 'late', datatype: 'BOOL', shape: [-1, 1] }],
  });
  expect([engine.healthy, engine.providers]).toEqual([true, ['cpu']]);
  const answers = await engine.run([floats('raw', [2, 2], 10, 0, 0, 10)], ['late']);
  expect(numbers(answers)).toEqual([['late', [2, 1], [1, 0]]]);
  await engine.close();
});

test('an answer of the model that postprocess.onnx does not take is given too, and is all that is computed when asked for alone', async () => {
  const both: OnnxModel = {
    ...affine,
    outputs: [...affine.outputs, value('copy', 'FP32', [-1, 2])],
    nodes: [...affine.nodes, node('Identity', ['x'], 'copy')],
  };
  const engine = await open({ 'model.onnx': both, 'postprocess.onnx': threshold });
  expect(engine.signature.outputs.map(({ name }) => name)).toEqual(['copy', 'late']);
  const run = (...outputs: string[]) => engine.run([floats('x', [1, 2], 1, 1)], outputs);
  expect(numbers(await run('late', 'copy'))).toEqual([
    ['late', [1, 1], [0]],
    ['copy', [1, 2], [1, 1]],
  ]);
  expect(numbers(await run('copy'))).toEqual([['copy', [1, 2], [1, 1]]]);
  await engine.close();
});

describe('a model of text', () => {
  test('answers each text the same alone and beside longer ones', async () => {
    const engine = await open({ 'model.onnx': meanId, 'tokenizer.json': vocabulary });
    expect(engine.signature.inputs).toEqual([{ name: 'text', datatype: 'BYTES', shape: [-1] }]);
    const mean = async (...all: string[]) => numbers(await engine.run([texts(...all)], ['mean']))[0]?.[2];
    expect(await mean('good')).toEqual([3]);
    expect(await mean('good', 'bad film', 'good good good good')).toEqual([3, 4.25, 3.5]);
    await engine.close();
  });

  test('refuses a text that is too long before it runs', async () => {
    const engine = await open({
      'model.onnx': meanId,
      'tokenizer.json': { ...vocabulary, truncation: { max_length: 3 } },
    });
    expect(() => engine.check?.([texts('good film')])).toThrow(expect.objectContaining({ kind: 'InvalidInput' }));
    await engine.close();
  });

  test('shares no run when an answer is as long as the text', () => {
    const files = { path: '', golden: [], tokenizer: { vocabulary: {}, config: {} } };
    const outputs = (...shape: number[]) => ({
      inputs: [],
      outputs: [{ name: 'y', datatype: 'FP32' as const, shape }],
    });
    expect([
      mayShareRuns(files, outputs(-1, 2)),
      mayShareRuns(files, outputs(-1, -1, 8)),
      mayShareRuns({ path: '', golden: [] }, outputs(-1, -1, 8)),
    ]).toEqual([true, false, true]);
  });
});

test.each<[string, Record<string, OnnxModel | object>, RegExp]>([
  [
    'a part that answers another type',
    {
      'preprocess.onnx': threshold,
      'model.onnx': { ...affine, inputs: [value('late', 'FP32', [-1, 1])], nodes: [node('Identity', ['late'], 'y')] },
    },
    /^model\.onnx takes "late" as FP32\[-1,1\], preprocess\.onnx answers it as BOOL\[-1,1\]\.$/,
  ],
  [
    'a part for another model',
    { 'model.onnx': scaler, 'postprocess.onnx': threshold },
    /^postprocess\.onnx takes "y", which model\.onnx does not answer/,
  ],
  [
    'a tokenizer for a model without tokens',
    { 'model.onnx': affine, 'tokenizer.json': vocabulary },
    /^tokenizer\.json makes "input_ids", which the model does not take/,
  ],
])('%s is refused, and nothing stays open', async (_what, files, sentence) => {
  opened.length = 0;
  await expect(open(files)).rejects.toThrow(sentence);
  await Promise.all(
    opened.map((engine) => expect(engine.run([], [])).rejects.toThrow(expect.objectContaining({ kind: 'Closing' }))),
  );
});

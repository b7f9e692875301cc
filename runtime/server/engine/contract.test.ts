import { rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { engineSettingsSchema } from '@slipway/crds/serving';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { node, value } from '../../onnx/builders.ts';
import { encodeModel, type OnnxModel } from '../../onnx/model.ts';
import { modelProto } from '../../onnx/schema.ts';
import { affine, lookup, mlp, slow } from '../../test/artifacts.ts';
import { temporaryFolder } from '../../test/temporaryFolder.ts';
import {
  ARRAYS,
  type Datatype,
  type Elements,
  type NumericDatatype,
  roomFor,
  sizeOf,
  type TensorValue,
} from '../tensor.ts';
import { type Engine, EngineError } from './engine.ts';
import { openEngine } from './openEngine.ts';

const BACKENDS = ['ffi', 'node'] as const;
const NUMERIC = Object.keys(ARRAYS) as NumericDatatype[];
const child = { file: new URL('../../test/engineChild.ts', import.meta.url) };

const tensor = (name: string, datatype: Datatype, shape: number[], elements: Elements): TensorValue => ({
  name,
  datatype,
  shape,
  elements,
});
const floats = (name: string, shape: number[], values: readonly number[]): TensorValue =>
  tensor(name, 'FP32', shape, Float32Array.from(values));
const plainOf = (elements: Elements | undefined) => elements && Array.from(elements as ArrayLike<unknown>);

/** Answers each of its inputs, one of each datatype, as it is. */
const identities = (datatypes: readonly Datatype[], shape: readonly number[] = [-1, 3]): OnnxModel => ({
  name: 'identities',
  inputs: datatypes.map((datatype) => value(datatype, datatype, shape)),
  outputs: datatypes.map((datatype) => value(`${datatype} out`, datatype, shape)),
  initializers: [],
  nodes: datatypes.map((datatype) => node('Identity', [datatype], `${datatype} out`)),
});

/** Elements with something in every byte; a BOOL is 0 or 1. */
function patterned(datatype: NumericDatatype, length: number): Elements {
  const elements = new ARRAYS[datatype](length);
  const bytes = new Uint8Array(elements.buffer);
  bytes.forEach((_, i) => {
    bytes[i] = datatype === 'BOOL' ? i % 2 : (i * 37) % 64;
  });
  return elements;
}

/** Answers the elements of x that are not 0: how many there are, nobody knows before. */
const nonZero: OnnxModel = {
  name: 'nonZero',
  inputs: [value('x', 'FP32', [-1])],
  outputs: [value('y', 'FP32', [-1]), value('n', 'INT64', [])],
  initializers: [],
  nodes: [
    node('Cast', ['x'], 'kept', { to: { i: 9 } }),
    node('Compress', ['x', 'kept'], 'y', { axis: { i: 0 } }),
    node('Size', ['y'], 'n'),
  ],
};

const sum: OnnxModel = {
  name: 'sum',
  inputs: [value('a', 'FP32', [-1, 2]), value('b', 'FP32', [-1, 2])],
  outputs: [value('total', 'FP32', []), value('both', 'FP32', [-1, 2])],
  initializers: [],
  nodes: [node('Add', ['a', 'b'], 'both'), node('ReduceSum', ['both'], 'total', { keepdims: { i: 0 } })],
};

describe.each(BACKENDS)('the %s engine', (backend) => {
  const opened: Engine[] = [];
  afterAll(() => Promise.all(opened.map((engine) => engine.close())));

  async function open(model: OnnxModel, settings: object = {}): Promise<Engine> {
    const path = join(await temporaryFolder('engine'), 'model.onnx');
    await writeFile(path, encodeModel(model));
    return openFile(path, settings);
  }

  async function openFile(path: string, settings: object = {}): Promise<Engine> {
    const engine = await openEngine({
      path,
      digest: 'sha256:0',
      settings: engineSettingsSchema.parse({ backend, ...settings }),
      cores: 1,
      child,
    });
    opened.push(engine);
    return engine;
  }

  describe('with a table of two weights', () => {
    let engine: Engine;
    beforeAll(async () => {
      engine = await open(affine);
    });

    it('says what the model takes and gives', () => {
      expect(engine).toMatchObject({ backend, providers: ['cpu'], healthy: true });
      expect(engine.signature).toEqual({
        inputs: [{ name: 'x', datatype: 'FP32', shape: [-1, 2] }],
        outputs: [{ name: 'y', datatype: 'FP32', shape: [-1, 1] }],
      });
    });

    it.each([0, 1, 3])('answers %i rows', async (rows) => {
      const values = Array.from({ length: rows * 2 }, (_, i) => i);
      const [y] = await engine.run([floats('x', [rows, 2], values)], ['y']);
      expect(y).toMatchObject({ name: 'y', datatype: 'FP32', shape: [rows, 1] });
      expect(plainOf(y?.elements)).toEqual(Array.from({ length: rows }, (_, i) => 2 * (2 * i) - 3 * (2 * i + 1) + 0.5));
    });

    it('reads shared memory as it is when the run starts, and answers in memory of its own', async () => {
      const elements = roomFor('FP32', 2) as Float32Array;
      const inputs = [tensor('x', 'FP32', [1, 2], elements)];
      const [first] = await engine.run(inputs, ['y']);
      elements.set([1, 0]);
      const [second] = await engine.run(inputs, ['y']);
      expect([plainOf(first?.elements), plainOf(second?.elements)]).toEqual([[0.5], [2.5]]);
    });

    it('reads a part of larger memory', async () => {
      const elements = new Float32Array(new SharedArrayBuffer(400), 8, 2);
      elements.set([1, 1]);
      const [y] = await engine.run([tensor('x', 'FP32', [1, 2], elements)], ['y']);
      expect(plainOf(y?.elements)).toEqual([-0.5]);
    });

    it('is of use after a run that fails', async () => {
      await expect(engine.run([floats('x', [1, 3], [1, 2, 3])], ['y'])).rejects.toMatchObject({
        name: 'EngineError',
        kind: 'ModelFailed',
        message: expect.not.stringMatching(/\/onnxruntime|\.cc:/),
      });
      const [y] = await engine.run([floats('x', [1, 2], [1, 0])], ['y']);
      expect(plainOf(y?.elements)).toEqual([2.5]);
    });

    it('refuses to start for a caller who is gone', async () => {
      const run = engine.run([floats('x', [1, 2], [1, 0])], ['y'], { signal: AbortSignal.abort() });
      await expect(run).rejects.toMatchObject({ kind: 'Cancelled' });
    });
  });

  it('carries every datatype through unchanged', async () => {
    const datatypes = NUMERIC.filter((datatype) => backend === 'ffi' || datatype !== 'BF16');
    const engine = await open(identities(datatypes));
    const inputs = datatypes.map((datatype) => tensor(datatype, datatype, [2, 3], patterned(datatype, 6)));
    const outputs = await engine.run(
      inputs,
      datatypes.map((datatype) => `${datatype} out`),
    );
    for (const [i, { datatype, elements }] of inputs.entries()) {
      expect(outputs[i]).toMatchObject({ datatype, shape: [2, 3] });
      expect(outputs[i]?.elements.constructor).toBe(elements.constructor);
      expect(plainOf(outputs[i]?.elements)).toEqual(plainOf(elements));
    }
  });

  it('carries shapes that the model leaves open', async () => {
    const engine = await open(identities(['INT16', 'FP64'], [-1, -1, 2]));
    const anyShape = fc.tuple(fc.nat(4), fc.nat(4)).map(([a, b]) => [a, b, 2]);
    await fc.assert(
      fc.asyncProperty(anyShape, anyShape, async (a, b) => {
        const inputs = [
          tensor('INT16', 'INT16', a, patterned('INT16', sizeOf(a))),
          tensor('FP64', 'FP64', b, patterned('FP64', sizeOf(b))),
        ];
        const outputs = await engine.run(inputs, ['INT16 out', 'FP64 out']);
        expect(outputs.map(({ shape, elements }) => [shape, plainOf(elements)])).toEqual(
          inputs.map(({ shape, elements }) => [shape, plainOf(elements)]),
        );
      }),
      { numRuns: 50 },
    );
  });

  it('carries text, also none of it and text beyond ASCII', async () => {
    const engine = await open(identities(['BYTES']));
    const texts = ['', 'a', 'žluťoučký kůň', '東京 🚀', 'x'.repeat(10_000), ''];
    const [y] = await engine.run([tensor('BYTES', 'BYTES', [2, 3], texts)], ['BYTES out']);
    expect(y).toMatchObject({ datatype: 'BYTES', shape: [2, 3], elements: texts });
    const [none] = await engine.run([tensor('BYTES', 'BYTES', [0, 3], [])], ['BYTES out']);
    expect(none).toMatchObject({ shape: [0, 3], elements: [] });
  });

  it('answers shapes that depend on the values, again and again', async () => {
    const engine = await open(nonZero);
    for (const values of [[1, 0, 2], [0, 0], [5, 6], [], [0, 7]]) {
      const kept = values.filter((x) => x !== 0);
      const [y, n] = await engine.run([floats('x', [values.length], values)], ['y', 'n']);
      expect([y?.shape, plainOf(y?.elements), n?.shape, plainOf(n?.elements)]).toEqual([
        [kept.length],
        kept,
        [],
        [BigInt(kept.length)],
      ]);
    }
  });

  it('answers the outputs that are asked for, in that order, from inputs in any order', async () => {
    const engine = await open(sum);
    const [a, b] = [floats('a', [1, 2], [1, 2]), floats('b', [1, 2], [10, 20])];
    const both = await engine.run([b, a], ['both', 'total']);
    expect(both.map(({ name, shape, elements }) => [name, shape, plainOf(elements)])).toEqual([
      ['both', [1, 2], [11, 22]],
      ['total', [], [33]],
    ]);
    const one = await engine.run([a, b], ['total']);
    expect(one.map(({ elements }) => plainOf(elements))).toEqual([[33]]);
  });

  it('answers each of twenty runs at once with its own', async () => {
    const engine = await open(mlp([4, 8, 1]), { instances: 2 });
    const inputs = Array.from({ length: 20 }, (_, i) => [floats('v0', [1, 4], [i, -i, i / 2, 1])]);
    const alone: unknown[] = [];
    for (const input of inputs) alone.push(plainOf((await engine.run(input, ['v2']))[0]?.elements));
    const together = await Promise.all(inputs.map((input) => engine.run(input, ['v2'])));
    expect(together.map(([y]) => plainOf(y?.elements))).toEqual(alone);
    expect(new Set(alone.map(String)).size).toBe(20);
  });

  it('fails the one run of which the model refuses the input', async () => {
    const engine = await open(lookup);
    const code = (n: bigint) => engine.run([tensor('code', 'INT64', [1, 1], BigInt64Array.of(n))], ['rows']);
    const [good, bad, again] = await Promise.allSettled([code(1n), code(7n), code(2n)]);
    expect(good).toMatchObject({ status: 'fulfilled' });
    expect(bad).toMatchObject({
      reason: { kind: 'ModelFailed', message: expect.stringMatching(/^indices element out of data bounds, idx=7/) },
    });
    expect(again).toMatchObject({ status: 'fulfilled' });
  });

  it('ends a run that takes too long and is of use again', async () => {
    const engine = await open(slow, { maxRunMs: 50 });
    const run = engine.run([floats('x', [1], [1])], ['y']);
    await expect(run).rejects.toEqual(new EngineError('EngineLost', 'the run took longer than 50 ms'));
    await expect.poll(() => engine.healthy, { timeout: 5_000 }).toBe(true);
  });

  it('lets a run end before it closes, and starts none after', async () => {
    const engine = await open(slow);
    const run = engine.run([floats('x', [1], [1])], ['y']);
    const order: string[] = [];
    await Promise.all([run.then(() => order.push('run')), engine.close().then(() => order.push('close'))]);
    expect(order).toEqual(['run', 'close']);
    expect(engine.healthy).toBe(false);
    await expect(engine.run([floats('x', [1], [1])], ['y'])).rejects.toMatchObject({ kind: 'Closing' });
    await engine.close();
  });

  const truncated = encodeModel(affine).slice(0, 100);
  it.each<[string, Uint8Array | string, RegExp]>([
    ['nothing at all', '', /^model.onnx cannot be loaded: it is not an ONNX model or was cut off; export it again\.$/],
    ['text', 'hello', /not an ONNX model/],
    ['a part of a model', truncated, /not an ONNX model/],
    [
      'a later opset',
      encodeModel({ ...affine, opset: 99 }),
      /^model.onnx cannot be loaded: it uses opset 99, and ONNX Runtime 1\.30\.0 knows opsets up to 26; export it/,
    ],
    [
      'an operator that is not known',
      encodeModel({ ...affine, nodes: [node('Frobnicate', ['x'], 'y')] }),
      /^model.onnx cannot be loaded: operator Frobnicate of opset 17 is not known to ONNX Runtime 1\.30\.0\.$/,
    ],
    [
      'a value that nothing makes',
      encodeModel({ ...affine, nodes: [node('Identity', ['nope'], 'y')] }),
      /^model.onnx cannot be loaded: .*'nope' is not a graph input, initializer, or output of a previous node\.$/,
    ],
  ])('refuses a file of %s with one sentence', async (_, content, message) => {
    const path = join(await temporaryFolder('engine'), 'model.onnx');
    await writeFile(path, content);
    const refusal = await openFile(path).catch((error: unknown) => error);
    expect(refusal).toMatchObject({ name: 'Failure', reason: 'ModelInvalid', message: expect.stringMatching(message) });
  });

  it('refuses a file that is not there, and one that is larger than a model file can be', async () => {
    const path = join(await temporaryFolder('engine'), 'model.onnx');
    const refusal = (why: string) => ({ reason: 'ModelInvalid', message: `model.onnx cannot be loaded: ${why}.` });
    await expect(openFile(path)).rejects.toMatchObject(refusal('there is no such file'));
    await writeFile(path, '');
    await truncate(path, 2 ** 31);
    await expect(openFile(path)).rejects.toMatchObject({ message: expect.stringContaining('larger than 2 GiB') });
    await rm(path);
  });

  it('refuses a model that answers something else than tensors', async () => {
    const split = { ...affine, outputs: [value('y', 'FP32', [])], nodes: [node('SplitToSequence', ['x'], 'y')] };
    const message = modelProto.toObject(modelProto.decode(encodeModel(split)));
    message['graph'].output = [{ name: 'y' }];
    const path = join(await temporaryFolder('engine'), 'model.onnx');
    await writeFile(path, modelProto.encode(modelProto.fromObject(message)).finish());
    await expect(openFile(path)).rejects.toMatchObject({
      reason: 'ModelInvalid',
      message: '"y" is not a tensor; export the model without it.',
    });
  });

  it.each<[string, object, RegExp]>([
    ['a GPU that nobody named', { requireGpu: true }, /write "providers": \["cuda"\]|needs "backend": "ffi"/],
    ['memory of a GPU that nobody named', { gpu: { memoryBytes: 2 ** 30 } }, /gpu\.memoryBytes/],
    ['a provider twice', { providers: ['cpu', 'cpu'] }, /twice/],
    ['the CPU before the GPU', { providers: ['cpu', 'cuda'] }, /write "cpu" last/],
    [
      'a session entry that does not exist',
      { session: { 'session.nonsense': '1' } },
      /"session\.nonsense", which ONNX/,
    ],
  ])('refuses settings with %s', async (_, settings, message) => {
    const refusal = await open(affine, settings).catch((error: unknown) => error);
    expect(refusal).toMatchObject({ reason: 'ConfigurationInvalid', message: expect.stringMatching(message) });
  });
});

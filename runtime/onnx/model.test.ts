import * as ort from 'onnxruntime-node';
import { describe, expect, it } from 'vitest';
import { fp32, int64, node, value } from './builders.ts';
import { encodeModel, type OnnxModel } from './model.ts';

const affine: OnnxModel = {
  name: 'affine',
  inputs: [value('x', 'FP32', [-1, 2])],
  outputs: [value('y', 'FP32', [-1, 1])],
  initializers: [fp32('w', [2, 1], [2, -3]), fp32('b', [1], [0.5])],
  nodes: [node('Gemm', ['x', 'w', 'b'], 'y')],
};

const lookup: OnnxModel = {
  name: 'lookup',
  inputs: [value('code', 'INT64', [-1, 1])],
  outputs: [value('rows', 'FP32', [-1, 2])],
  initializers: [fp32('table', [3, 2], [1, 2, 3, 4, 5, 6]), int64('axes', [1], [1])],
  nodes: [node('Gather', ['table', 'code'], 'picked', { axis: { i: 0 } }), node('Squeeze', ['picked', 'axes'], 'rows')],
};

const run = async (model: OnnxModel, feeds: Record<string, ort.Tensor>) => {
  const session = await ort.InferenceSession.create(encodeModel(model), { logSeverityLevel: 4 });
  return session.run(feeds);
};
const floats = (tensor: ort.Tensor | undefined) => Array.from(tensor?.data as Float32Array);
const codes = (...values: number[]) => new ort.Tensor('int64', BigInt64Array.from(values, BigInt), [values.length, 1]);

describe('an encoded model in ONNX Runtime', () => {
  it('computes what its graph says, for any batch', async () => {
    const x = new ort.Tensor('float32', Float32Array.of(1, 1, 2, 0, 0, 2), [3, 2]);
    const { y } = await run(affine, { x });
    expect(floats(y)).toEqual([-0.5, 4.5, -5.5]);
    expect(y?.dims).toEqual([3, 1]);
  });

  it('picks the rows of a table by INT64 code', async () => {
    const { rows } = await run(lookup, { code: codes(2, 0) });
    expect(floats(rows)).toEqual([5, 6, 1, 2]);
  });

  it('fails on a code outside its table, which is what a serving runtime must report', async () => {
    await expect(run(lookup, { code: codes(3) })).rejects.toThrow(/out of data bounds/);
  });

  it('declares names, types and a free batch dimension', async () => {
    const session = await ort.InferenceSession.create(encodeModel(lookup));
    expect(session.inputMetadata).toMatchObject([{ name: 'code', type: 'int64', shape: ['batch', 1] }]);
    expect(session.outputMetadata).toMatchObject([{ name: 'rows', type: 'float32', shape: ['batch', 2] }]);
  });

  it('loads in every operator set from 17 to 21', async () => {
    for (const opset of [17, 18, 19, 20, 21]) {
      await expect(ort.InferenceSession.create(encodeModel({ ...affine, opset }))).resolves.toBeDefined();
    }
  });

  it('is the same bytes for the same graph', () => {
    expect(Buffer.compare(encodeModel(affine), encodeModel(affine))).toBe(0);
  });

  it('refuses an initializer whose values do not fill its shape', () => {
    const broken = { ...affine, initializers: [fp32('w', [2, 1], [2])] };
    expect(() => encodeModel(broken)).toThrow('initializer w: shape [2,1] holds 2 values, not 1');
  });
});

import { afterAll, beforeAll, expect, test } from 'vitest';
import { node, value } from '../../onnx/builders.ts';
import type { OnnxModel } from '../../onnx/model.ts';
import { TestClient } from '../grpc/testing/client.ts';
import { serving as servingGrpc } from '../grpc/testing/serving.ts';
import { openTestModel, type TestModel } from '../rest/testing/models.ts';
import { serving as servingRest } from '../rest/testing/serving.ts';
import { post } from '../rest/testing/socket.ts';

/** Answers twice what it is given. */
const twice: OnnxModel = {
  name: 'twice',
  inputs: [value('x', 'FP32', [-1])],
  outputs: [value('y', 'FP32', [-1])],
  initializers: [],
  nodes: [node('Concat', ['x', 'x'], 'y', { axis: { i: 0 } })],
};

let open: TestModel;
beforeAll(async () => {
  open = await openTestModel(twice);
});
afterAll(() => open.close());

const limits = { maxElements: 4 };
const SENTENCE = 'The model failed on this request: output "y" has 6 elements, limits.maxElements allows 4.';

test('triton#6766: what a model answers beyond the bound of a tensor is its failure over REST, and is not written out', async () => {
  const { send, rest } = await servingRest([open.model], { limits });
  const ask = (...data: number[]) =>
    send(post('/v2/models/twice/infer', { inputs: [{ name: 'x', datatype: 'FP32', shape: [data.length], data }] }));
  expect((await ask(1, 2)).status).toBe(200);
  const { status, body } = await ask(1, 2, 3);
  expect([status, JSON.parse(body.toString())]).toEqual([500, { error: SENTENCE }]);
  expect([rest.inFlight, open.leased()]).toEqual([0, 0]);
});

test('the same over gRPC, where it is counted once', async () => {
  const { address, grpc } = await servingGrpc([open.model], { limits });
  const client = new TestClient(address);
  const ask = (...numbers: number[]) =>
    client.call('ModelInfer', {
      model_name: 'twice',
      inputs: [{ name: 'x', datatype: 'FP32', shape: [numbers.length], contents: { fp32_contents: numbers } }],
    });
  await ask(1, 2);
  const before = failed();
  await expect(ask(1, 2, 3)).rejects.toMatchObject({ code: 13, details: SENTENCE });
  expect([failed() - before, grpc.inFlight, open.leased()]).toEqual([1, 0, 0]);
});

const failed = (): number => open.model.evidence.counts().requests.serverError;

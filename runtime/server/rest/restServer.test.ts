import { beforeAll, describe, expect, test } from 'vitest';
import { mirror, openTestModel, type TestModel } from './testing/models.ts';
import { serving } from './testing/serving.ts';
import { get, post } from './testing/socket.ts';

let opened: TestModel;
beforeAll(async () => {
  opened = await openTestModel(mirror);
  return () => opened.close();
});

const good = {
  inputs: [
    { name: 'x', datatype: 'FP32', shape: [1, 2], data: [1.5, 2] },
    { name: 'n', datatype: 'INT8', shape: [1, 1], data: [3] },
  ],
};

test('answers with the model, its outputs, and the version and digest that answered', async () => {
  const { send } = await serving([opened.model]);
  const answer = await send(post('/v2/models/mirror/infer', { id: 'a', ...good }));
  expect([answer.status, JSON.parse(answer.body.toString())]).toEqual([
    200,
    {
      model_name: 'mirror',
      model_version: '1',
      id: 'a',
      outputs: [
        { name: 'x_out', datatype: 'FP32', shape: [1, 2], data: [1.5, 2] },
        { name: 'n_out', datatype: 'INT8', shape: [1, 1], data: [3] },
      ],
    },
  ]);
  expect(answer.headers).toMatchObject({
    'content-type': 'application/json',
    'slipway-model-version': '1',
    'slipway-model-digest': opened.model.identity.digest,
    connection: 'keep-alive',
  });
});

describe('paths', () => {
  test.each([
    ['/', 200, { status: 'alive' }],
    ['/v2/health/live', 200, { live: true, ready: true }],
    ['/v2/health/ready', 200, { live: true, ready: true }],
    ['/v2/models/mirror/ready', 200, { name: 'mirror', ready: true }],
    ['/v1/models', 200, { models: ['mirror'] }],
    ['/v1/models/mirror', 200, { name: 'mirror', ready: true }],
    ['/v2/models', 200, { models: ['mirror'] }],
  ])('GET %s is %i', async (path, status, body) => {
    const { send } = await serving([opened.model]);
    const answer = await send(get(path));
    expect([answer.status, JSON.parse(answer.body.toString())]).toEqual([status, body]);
  });
});

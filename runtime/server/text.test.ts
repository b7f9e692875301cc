import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { int64, node, value } from '../onnx/builders.ts';
import { encodeModel, type OnnxModel } from '../onnx/model.ts';
import { type ServerProcess, startFolder } from '../test/serverProcess.ts';
import { temporaryFolder } from '../test/temporaryFolder.ts';
import { vocabulary } from '../test/tokenizer.ts';
import { TestClient } from './grpc/testing/client.ts';

/** Tokens of a text, counted by its mask. */
const counting: OnnxModel = {
  name: 'counting',
  inputs: [value('input_ids', 'INT64', [-1, -1]), value('attention_mask', 'INT64', [-1, -1])],
  outputs: [value('tokens', 'INT64', [-1])],
  initializers: [int64('axis', [1], [1])],
  nodes: [
    node('Mul', ['input_ids', 'attention_mask'], 'kept'),
    node('Sub', ['kept', 'kept'], 'zero'),
    node('Add', ['attention_mask', 'zero'], 'mask'),
    node('ReduceSum', ['mask', 'axis'], 'tokens', { keepdims: { i: 0 } }),
  ],
};

/** Serves the model twice: one refuses what is too long, the other cuts it. */
let server: ServerProcess;
beforeAll(async () => {
  const root = await temporaryFolder('models');
  for (const name of ['strict', 'cutting']) {
    await mkdir(join(root, name));
    await writeFile(join(root, name, 'model.onnx'), encodeModel(counting));
    const tokenizer = { ...vocabulary, truncation: { max_length: 8 } };
    await writeFile(join(root, name, 'tokenizer.json'), JSON.stringify(tokenizer));
  }
  server = await startFolder(root, { models: { cutting: { truncateText: true } } });
  await server.logged('ready');
}, 30_000);
afterAll(() => server.kill());

const askModel = async (model: string, ...texts: string[]) => {
  const body = JSON.stringify({ inputs: [{ name: 'text', datatype: 'BYTES', shape: [texts.length], data: texts }] });
  const response = await server.fetch('rest', `/v2/models/${model}/infer`, { method: 'POST', body });
  return [response.status, await response.json()];
};
const ask = (...texts: string[]) => askModel('strict', ...texts);

test('texts are asked as they are, alone and together', async () => {
  expect(await ask('good film')).toMatchObject([200, { outputs: [{ name: 'tokens', data: [4] }] }]);
  expect(await ask('good', '', 'bad bad bad')).toMatchObject([200, { outputs: [{ data: [3, 2, 5] }] }]);
  const many = await Promise.all(Array.from({ length: 30 }, (_, i) => ask('good '.repeat(i % 6))));
  expect(many.map(([, body]) => (body as { outputs: [{ data: number[] }] }).outputs[0].data[0])).toEqual(
    Array.from({ length: 30 }, (_, i) => (i % 6) + 2),
  );
});

test('over gRPC too', async () => {
  const client = new TestClient(`127.0.0.1:${(await server.logged('listening'))['grpc']}`);
  const inputs = [
    { name: 'text', datatype: 'BYTES', shape: [1], contents: { bytes_contents: [Buffer.from('good film')] } },
  ];
  const { message } = await client.call('ModelInfer', { model_name: 'strict', inputs });
  expect(message['outputs']).toMatchObject([{ name: 'tokens', shape: ['1'] }]);
});

test('a text that is too long is refused, and the sentence says which', async () => {
  expect(await ask('good', 'good '.repeat(7))).toEqual([
    400,
    { error: 'Text 2 of "text" has 9 tokens and the model takes 8; send less of it.' },
  ]);
});

test('it is cut for the one model that was told to', async () => {
  expect(await askModel('cutting', 'good', 'good '.repeat(7))).toMatchObject([200, { outputs: [{ data: [3, 8] }] }]);
});

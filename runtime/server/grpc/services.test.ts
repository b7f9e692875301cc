import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Failure } from '../../artifact/failure.ts';
import { openTestModel, type TestModel } from '../rest/testing/models.ts';
import type { Plain } from './proto/codec.ts';
import { INFERENCE, refusalOf, TestClient } from './testing/client.ts';
import { floatsOf, pair, pairRequest } from './testing/models.ts';
import { serving } from './testing/serving.ts';

let open: TestModel;
beforeAll(async () => {
  open = await openTestModel(pair);
});
afterAll(() => open.close());

async function started(setup: Parameters<typeof serving>[1] = {}) {
  const server = await serving([open.model], setup);
  return { ...server, client: new TestClient(server.address) };
}

const descriptions: readonly [string, Plain, Plain][] = [
  ['ServerLive', {}, { live: true }],
  ['ServerReady', {}, { ready: true }],
  ['ModelReady', { name: 'pair' }, { ready: true }],
  ['ModelReady', { name: 'pair', version: '1' }, { ready: true }],
  ['ModelReady', { name: 'pair', version: '2' }, {}],
  ['ModelReady', { name: 'nobody' }, {}],
  ['ServerMetadata', {}, { name: 'slipway', version: '0.0.0', extensions: expect.arrayContaining(['statistics']) }],
  [
    'ModelMetadata',
    { name: 'pair' },
    {
      name: 'pair',
      versions: ['1'],
      platform: 'onnx_onnxv1',
      inputs: [{ name: 'x', datatype: 'FP32', shape: ['-1', '2'] }],
      outputs: [{ name: 'y', datatype: 'FP32', shape: ['-1', '2'] }],
    },
  ],
  [
    'ModelConfig',
    { name: 'pair' },
    {
      config: expect.objectContaining({
        name: 'pair',
        max_batch_size: 32,
        input: [{ name: 'x', data_type: 11, dims: ['2'] }],
        dynamic_batching: expect.anything(),
      }),
    },
  ],
  ['RepositoryIndex', {}, { models: [{ name: 'pair', version: '1', state: 'READY' }] }],
];

test.each(descriptions)('%s %o is answered', async (method, message, answer) => {
  const { client } = await started();
  expect((await client.call(method, message)).message).toEqual(answer);
});

test('ModelStatistics counts what was asked, of one model or of all', async () => {
  const { client } = await started();
  const countOf = async (name: string) => {
    const { message } = await client.call('ModelStatistics', { name });
    const [model] = message['model_stats'] as readonly { inference_count?: string; inference_stats: Plain }[];
    return Number(model?.inference_count ?? 0);
  };
  const before = await countOf('pair');
  await client.call('ModelInfer', pairRequest(1, 2, 3, 4));
  expect([await countOf('pair'), await countOf('')]).toEqual([before + 2, before + 2]);
});

test.each(['ModelMetadata', 'ModelConfig', 'ModelStatistics'])(
  '%s of an unknown model is NOT_FOUND',
  async (method) => {
    const { client } = await started();
    const refused = await refusalOf(client.call(method, { name: 'nobody' }));
    expect(refused).toMatchObject({ code: 5, details: 'There is no model "nobody" here; this server has "pair".' });
  },
);

test('a server that is leaving is live and not ready', async () => {
  const { client, state } = await started();
  state.phase = 'Draining';
  expect((await client.call('ServerLive', {})).message).toEqual({ live: true });
  expect((await client.call('ServerReady', {})).message).toEqual({});
  expect((await client.call('ModelReady', { name: 'pair' })).message).toEqual({});
});

describe('the repository', () => {
  test.each(['RepositoryModelLoad', 'RepositoryModelUnload'])(
    '%s says where it is not open to callers',
    async (method) => {
      const { client } = await started();
      const refused = await refusalOf(client.call(method, { model_name: 'pair' }));
      expect(refused).toMatchObject({ code: 12, details: expect.stringMatching(/set "repository" to "Explicit"/) });
    },
  );

  const forms: readonly [string, Plain][] = [
    ['Triton', { model_name: 'pair' }],
    ['Triton with a repository', { repository_name: 'shelf', model_name: 'pair' }],
    ['KServe', { repository_name: 'pair' }],
  ];
  test.each(forms)('takes the messages of %s', async (_whose, message) => {
    const done: string[] = [];
    const repository = {
      controllable: true,
      load: async (name: string) => void done.push(`load ${name}`),
      unload: async (name: string) => void done.push(`unload ${name}`),
    };
    const { client } = await started({ repository });
    expect((await client.call('RepositoryModelLoad', message)).message).toEqual({ model_name: 'pair', isLoaded: true });
    expect((await client.call('RepositoryModelUnload', message)).message).toEqual({
      model_name: 'pair',
      isUnloaded: true,
    });
    expect(done).toEqual(['load pair', 'unload pair']);
  });

  test('a model that cannot be loaded is refused with the reason', async () => {
    const load = async () => {
      throw new Failure('ModelMissing', 'The artifact has no model.onnx.');
    };
    const { client } = await started({ repository: { controllable: true, load } });
    const refused = await refusalOf(client.call('RepositoryModelLoad', { model_name: 'pair' }));
    expect(refused).toMatchObject({ code: 3, details: 'The artifact has no model.onnx.' });
    const parameters = { config: { string_param: '{}' } };
    const foreign = await refusalOf(client.call('RepositoryModelLoad', { model_name: 'pair', parameters }));
    expect(foreign).toMatchObject({ code: 3, details: expect.stringMatching(/Parameter "config" is not served/) });
    const nobody = await refusalOf(client.call('RepositoryModelUnload', { model_name: 'nobody' }));
    expect(nobody).toMatchObject({ code: 5 });
    expect(await refusalOf(client.call('RepositoryModelLoad', {}))).toMatchObject({ code: 3 });
  });
});

describe('ModelStreamInfer', () => {
  const open = (client: TestClient) =>
    client.stream(
      `/${INFERENCE}/ModelStreamInfer`,
      'inference.ModelInferRequest',
      'inference.ModelStreamInferResponse',
    );

  test('answers in order, says what is wrong in the stream, and goes on', async () => {
    const { client } = await started();
    const stream = open(client);
    for (let i = 0; i < 50; i++) {
      const good = { ...pairRequest(i, 0), id: `${i}` };
      stream.write(i % 10 === 3 ? { ...good, raw_input_contents: [] } : good);
    }
    stream.end();
    const answers: Plain[] = [];
    for await (const answer of stream) answers.push(answer as Plain);
    expect(answers.length).toBe(50);
    answers.forEach(({ error_message, infer_response }, i) => {
      const response = infer_response as Plain;
      expect(response['id']).toBe(`${i}`);
      if (i % 10 === 3) expect(error_message).toMatch(/0 elements in fp32_contents/);
      else expect(floatsOf(response)).toEqual([i, 0]);
    });
  });

  test('answers while the caller still sends, and many more bytes than a window holds', async () => {
    const { client } = await started();
    const stream = open(client);
    const numbers = new Array<number>(20_000).fill(1);
    const answers = stream[Symbol.asyncIterator]();
    for (let i = 0; i < 40; i++) {
      stream.write({ ...pairRequest(...numbers), id: `${i}` });
      const { value } = await answers.next();
      expect((value.infer_response as Plain)['id']).toBe(`${i}`);
    }
    stream.end();
    expect((await answers.next()).done).toBe(true);
  });

  test('a message that is no protocol buffer is answered too', async () => {
    const { client } = await started();
    const stream = client.stream(
      `/${INFERENCE}/ModelStreamInfer`,
      'inference.ServerMetadataResponse',
      'inference.ModelStreamInferResponse',
    );
    stream.write({ name: 'pair', extensions: ['x'] });
    stream.end();
    const answers: Plain[] = [];
    for await (const answer of stream) answers.push(answer as Plain);
    expect(answers).toMatchObject([{ error_message: expect.stringMatching(/is missing/) }]);
  });
});

describe('health', () => {
  const ask = (client: TestClient, service: string) =>
    client
      .ask('grpc.health.v1.Health', 'Check', { service }, 'grpc.health.v1.HealthCheck')
      .then(({ message }) => message);

  test('Check tells of the server, of the service and of each model', async () => {
    const { client, state } = await started();
    for (const service of ['', INFERENCE, 'pair']) expect(await ask(client, service)).toEqual({ status: 1 });
    expect(await refusalOf(ask(client, 'nobody'))).toMatchObject({ code: 5 });
    state.phase = 'Draining';
    for (const service of ['', INFERENCE, 'pair']) expect(await ask(client, service)).toEqual({ status: 2 });
  });

  test('Watch tells each change', async () => {
    const { client, state } = await started();
    const type = 'grpc.health.v1.HealthCheck';
    const watch = client.stream('/grpc.health.v1.Health/Watch', `${type}Request`, `${type}Response`);
    watch.on('error', () => undefined);
    watch.write({ service: '' });
    const answers = watch[Symbol.asyncIterator]();
    expect((await answers.next()).value).toEqual({ status: 1 });
    state.phase = 'Draining';
    expect((await answers.next()).value).toEqual({ status: 2 });
    watch.cancel();
  });
});

test.each(['v1', 'v1alpha'])('reflection %s tells services and files', async (version) => {
  const { client } = await started();
  const service = `grpc.reflection.${version}`;
  const stream = client.stream(
    `/${service}.ServerReflection/ServerReflectionInfo`,
    `${service}.ServerReflectionRequest`,
    `${service}.ServerReflectionResponse`,
  );
  stream.write({ list_services: '*' });
  stream.write({ file_containing_symbol: 'inference.GRPCInferenceService' });
  stream.write({ file_containing_symbol: 'inference.ModelInferRequest.InferInputTensor' });
  stream.write({ file_by_filename: 'grpc/health/v1/health.proto' });
  stream.write({ file_containing_symbol: 'nobody' });
  stream.end();
  const answers: Plain[] = [];
  for await (const answer of stream) answers.push(answer as Plain);
  const [services, byService, byMessage, byName, nobody] = answers as [Plain, Plain, Plain, Plain, Plain];
  const names = (services['list_services_response'] as { service: { name: string }[] }).service.map(({ name }) => name);
  expect(names).toEqual([
    'inference.GRPCInferenceService',
    'grpc.health.v1.Health',
    'grpc.reflection.v1.ServerReflection',
    'grpc.reflection.v1alpha.ServerReflection',
  ]);
  expect(byService['file_descriptor_response']).toEqual(byMessage['file_descriptor_response']);
  const [bytes] = (byName['file_descriptor_response'] as { file_descriptor_proto: Buffer[] }).file_descriptor_proto;
  expect(bytes?.toString('latin1')).toContain('grpc/health/v1/health.proto');
  expect(nobody).toMatchObject({ error_response: { error_code: 5, error_message: 'There is no nobody here.' } });
});

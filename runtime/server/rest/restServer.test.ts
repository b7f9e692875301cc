import {
  deflateRawSync,
  deflateSync,
  gunzipSync,
  gzipSync,
  inflateSync,
  zstdCompressSync,
  zstdDecompressSync,
} from 'node:zlib';
import { beforeAll, describe, expect, test } from 'vitest';
import { accessBy } from '../access/access.ts';
import { RateLimit } from '../access/rateLimit.ts';
import { mirror, openTestModel, type TestModel, words } from './testing/models.ts';
import { GOOD, INFER, N, X } from './testing/refusals.ts';
import { serving } from './testing/serving.ts';
import { exchangeAll, get, post, type Received } from './testing/socket.ts';

let opened: TestModel;
let texts: TestModel;
beforeAll(async () => {
  opened = await openTestModel(mirror);
  texts = await openTestModel(words);
  return async () => void (await Promise.all([opened.close(), texts.close()]));
});

const json = ({ body }: Received) => JSON.parse(body.toString());

test('answers with the outputs of the model, and the version and digest that answered', async () => {
  const { send } = await serving([opened.model]);
  const answer = await send(post(INFER, { id: 'a', ...GOOD }));
  expect([answer.status, json(answer)]).toEqual([
    200,
    {
      model_name: 'mirror',
      model_version: '1',
      id: 'a',
      outputs: [
        { ...X, name: 'x_out' },
        { ...N, name: 'n_out' },
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

test('answers binary tensors with the length of their header', async () => {
  const { send } = await serving([opened.model]);
  const answer = await send(post(INFER, { ...GOOD, parameters: { binary_data_output: true } }));
  const length = Number(answer.headers['inference-header-content-length']);
  expect(answer.headers['content-type']).toBe('application/octet-stream');
  expect(JSON.parse(answer.body.subarray(0, length).toString()).outputs[0].parameters).toEqual({ binary_data_size: 8 });
  expect([...new Float32Array(answer.body.buffer.slice(answer.body.byteOffset + length).slice(0, 8))]).toEqual(X.data);
});

test('answers V1', async () => {
  const { send } = await serving([opened.model]);
  const answer = await send(post('/v1/models/mirror:predict', { instances: [{ x: [1.5, 2], n: [3] }] }));
  expect([answer.status, json(answer)]).toEqual([200, { predictions: [{ x_out: [1.5, 2], n_out: [3] }] }]);
});

describe('paths', () => {
  test.each([
    ['/', { status: 'alive' }],
    ['/v2', expect.objectContaining({ name: 'slipway', version: '0.0.0' })],
    ['/v2/health/live', { live: true, ready: true }],
    ['/v2/health/ready', { live: true, ready: true }],
    ['/v2/models', { models: ['mirror', 'words'] }],
    ['/v2/models/mirror', expect.objectContaining({ name: 'mirror', versions: ['1'] })],
    ['/v2/models/mirror/ready', { name: 'mirror', ready: true }],
    ['/v2/models/mirror/config', expect.objectContaining({ name: 'mirror' })],
    ['/v2/models/mirror/stats', { model_stats: [expect.objectContaining({ name: 'mirror', version: '1' })] }],
    ['/v2/models/stats', { model_stats: [expect.anything(), expect.objectContaining({ name: 'words' })] }],
    ['/v1/models', { models: ['mirror', 'words'] }],
    ['/v1/models/mirror', { name: 'mirror', ready: true }],
    ['/openapi.json', expect.objectContaining({ openapi: expect.stringMatching(/^3/) })],
  ])('GET %s', async (path, body) => {
    const { send, url } = await serving([opened.model, texts.model]);
    const answer = await send(get(path));
    expect([answer.status, json(answer)]).toEqual([200, body]);
    const head = await fetch(`${url}${path}`, { method: 'HEAD' });
    expect([head.status, head.headers.get('content-length')]).toEqual([200, answer.headers['content-length']]);
  });

  test('POST /v2/repository/index lists models, with or without a body', async () => {
    const { send } = await serving([opened.model]);
    const index = [{ name: 'mirror', version: '1', state: 'READY', reason: '' }];
    expect(json(await send(post('/v2/repository/index')))).toEqual(index);
    expect(json(await send(post('/v2/repository/index', { ready: true })))).toEqual(index);
  });

  test('no answer lets a browser of another origin read it', async () => {
    const { send } = await serving([opened.model]);
    const { headers } = await send(post(INFER, GOOD, { origin: 'http://evil' }));
    expect(Object.keys(headers).filter((name) => name.startsWith('access-control'))).toEqual([]);
  });
});

describe('while the server', () => {
  test('starts, questions are refused with a time to come again, and it is live but not ready', async () => {
    const { send, state } = await serving([]);
    state.phase = 'Starting';
    const answer = await send(post(INFER, GOOD));
    expect([answer.status, answer.error, answer.headers['retry-after']]).toEqual([
      503,
      'The model is not loaded yet.',
      '1',
    ]);
    expect((await send(get('/v2/health/live'))).status).toBe(200);
    const ready = await send(get('/v2/health/ready'));
    expect([ready.status, json(ready)]).toEqual([503, { live: true, ready: false, error: 'The server is not ready.' }]);
    expect((await send(get('/v2/models/mirror/ready'))).status).toBe(503);
  });

  test('drains, it answers and asks for the connection to be closed', async () => {
    const { send, state } = await serving([opened.model]);
    state.phase = 'Draining';
    for (const bytes of [post(INFER, GOOD), post(INFER, 'x'), get('/v2'), get('/nowhere')]) {
      expect((await send(bytes)).headers['connection']).toBe('close');
    }
    const ready = await send(get('/v2/models/mirror/ready'));
    expect([ready.status, json(ready)]).toEqual([503, { name: 'mirror', ready: false }]);
  });
});

describe('a packed body', () => {
  const text = JSON.stringify(GOOD);
  test.each([
    ['gzip', gzipSync(text)],
    ['x-gzip', gzipSync(text)],
    ['GZIP', gzipSync(text)],
    ['zstd', zstdCompressSync(text)],
    ['deflate', deflateSync(text)],
    ['deflate', deflateRawSync(text)],
    ['identity', Buffer.from(text)],
  ])('by %s is unpacked', async (encoding, body) => {
    const { send } = await serving([opened.model]);
    expect((await send(post(INFER, body, { 'content-encoding': encoding }))).status).toBe(200);
  });
});

describe('a large answer', () => {
  const rows = 4000;
  const data = Array.from({ length: rows }, (_, i) => `row ${i}`);
  const question = (parameters: object) => ({
    parameters,
    inputs: [{ name: 'text', datatype: 'BYTES', shape: [rows], data }],
  });
  const ask = async (accepted: string | undefined, parameters: object = {}) => {
    const { send } = await serving([texts.model]);
    const headers = accepted === undefined ? {} : { 'accept-encoding': accepted };
    return send(post('/v2/models/words/infer', question(parameters), headers));
  };

  test.each([
    ['gzip', 'gzip', gunzipSync],
    ['deflate', 'deflate', inflateSync],
    ['gzip;q=0.5, zstd', 'zstd', zstdDecompressSync],
  ] as const)('is packed for whoever accepts %s', async (accepted, encoding, unpack) => {
    const answer = await ask(accepted);
    expect(answer.headers).toMatchObject({ 'content-encoding': encoding, vary: 'accept-encoding' });
    expect(JSON.parse(unpack(answer.body).toString()).outputs[0].data).toEqual(data);
  });

  test.each([undefined, 'br', 'gzip;q=0'])('is sent as it is to whoever accepts %o', async (accepted) => {
    const answer = await ask(accepted);
    expect(answer.headers['content-encoding']).toBeUndefined();
    expect(json(answer).outputs[0].data).toEqual(data);
  });

  test('that is binary says the length of its header before packing', async () => {
    const answer = await ask('gzip', { binary_data_output: true });
    const whole = gunzipSync(answer.body);
    const length = Number(answer.headers['inference-header-content-length']);
    expect(JSON.parse(whole.subarray(0, length).toString()).outputs[0].parameters.binary_data_size).toBe(
      whole.length - length,
    );
  });

  test('that is small is never packed', async () => {
    const { send } = await serving([opened.model]);
    expect((await send(post(INFER, GOOD, { 'accept-encoding': 'gzip' }))).headers['content-encoding']).toBeUndefined();
  });
});

test('a caller that asks too often is told when to come again', async () => {
  const access = accessBy({ keys: undefined, rate: new RateLimit({ requestsPerSecond: 0.5, burst: 1 }), now: () => 0 });
  const { send } = await serving([opened.model], { access });
  expect((await send(post(INFER, GOOD))).status).toBe(200);
  const answer = await send(post(INFER, GOOD));
  expect([answer.status, answer.error, answer.headers['retry-after']]).toEqual([
    429,
    'Too many requests: come again in 2 seconds.',
    '2',
  ]);
  expect((await send(get('/v2/health/ready'))).status).toBe(200);
});

test('late labels find the answers that they are about', async () => {
  const { send } = await serving([texts.model]);
  await send(
    post('/v2/models/words/infer', {
      id: 'told',
      inputs: [{ name: 'text', datatype: 'BYTES', shape: [1], data: ['spam'] }],
    }),
  );
  await send(
    post(
      '/v2/models/words/infer',
      { inputs: [{ name: 'text', datatype: 'BYTES', shape: [1], data: ['spam'] }] },
      { 'x-request-id': 'headed' },
    ),
  );
  const labels = [
    { id: 'told', label: 'spam' },
    { id: 'headed', label: 'ham' },
    { id: 'never', label: 'ham' },
  ];
  expect(json(await send(post('/slipway/v1/feedback', labels)))).toEqual({ right: 1, wrong: 1, unknown: 1 });
});

test('an expectation that nobody knows is passed over', async () => {
  const { send } = await serving([opened.model]);
  const answer = await send(post(INFER, { id: '1', ...GOOD }, { expect: '200-ok' }));
  expect([answer.status, json(answer).id]).toEqual([200, '1']);
});

test('several requests on one connection are answered in turn', async () => {
  const { port } = await serving([opened.model]);
  const live = get('/v2/health/live');
  const bytes = Buffer.concat([post(INFER, { id: '1', ...GOOD }), live, post(INFER, { id: '2', ...GOOD })]);
  const answers = await exchangeAll(port, bytes, 3);
  expect(answers.map((answer) => json(answer).id ?? json(answer).live)).toEqual(['1', true, '2']);
});

import { once } from 'node:events';
import { request } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { type Engine, EngineError, type TensorValue } from './engine.ts';
import type { RequestOutcome } from './evidence.ts';
import { Lifecycle } from './lifecycle.ts';
import { createRestServer } from './rest.ts';

const model = { name: 'flights', version: '1.4.0', digest: 'sha256:00' };
const body = JSON.stringify({ inputs: [{ name: 'x', datatype: 'FP32', shape: [1], data: [1] }] });
const tensor = { name: 'x', datatype: 'FP32', shape: [-1] } as const;

const engineThat = (infer: Engine['infer']): Engine => ({
  signature: { inputs: [{ ...tensor, shape: [-1] }], outputs: [{ ...tensor, shape: [-1] }] },
  healthy: true,
  infer,
  close: async () => undefined,
});
const echo = engineThat(async (inputs) => inputs);
const failing = (error: Error) => engineThat(() => Promise.reject(error));

async function serve(engine: Engine | undefined) {
  const lifecycle = new Lifecycle();
  if (engine) lifecycle.serve();
  const recorded: RequestOutcome[] = [];
  const failures: unknown[] = [];
  const server = createRestServer({
    model,
    lifecycle,
    engine: () => engine,
    maxBodyBytes: 1000,
    elapsed: () => 0,
    record: (outcome) => recorded.push(outcome),
    onFailure: (_sentence, cause) => failures.push(cause),
  }).listen(0);
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  const { port } = server.address() as AddressInfo;
  const infer = (init: RequestInit = {}) =>
    fetch(`http://127.0.0.1:${port}/v2/models/flights/infer`, { method: 'POST', body, ...init });
  return { lifecycle, recorded, failures, port, infer };
}

describe('what an engine throws becomes', () => {
  test.each([
    [
      'a full queue',
      new EngineError('Overloaded', 'full'),
      503,
      'Too many requests wait for the model; try again later.',
      'shed',
    ],
    [
      'a lost thread',
      new EngineError('WorkerLost', 'gone'),
      500,
      'The server lost the thread that ran this request.',
      'serverError',
    ],
    [
      'a model that fails',
      new EngineError('ModelFailed', 'index 7 is out of range'),
      500,
      'The model failed on this request: index 7 is out of range.',
      'serverError',
    ],
    ['a bug', new TypeError('x is not a function'), 500, 'The server failed on this request.', 'serverError'],
  ] as const)('%s', async (_what, error, status, sentence, outcome) => {
    const { infer, recorded } = await serve(failing(error));
    const response = await infer();
    expect([response.status, await response.json()]).toEqual([status, { error: sentence }]);
    expect(response.headers.get('retry-after')).toBe(status === 503 ? '1' : null);
    expect(recorded).toEqual([outcome]);
  });

  test('a bug keeps its stack for the log and out of the answer', async () => {
    const bug = new TypeError('x is not a function');
    const { infer, failures } = await serve(failing(bug));
    expect(await (await infer()).text()).not.toContain('x is not a function');
    expect(failures).toEqual([bug]);
  });

  test('an answer that is not finite is a failure of the model', async () => {
    const nan: TensorValue = { name: 'x', datatype: 'FP32', shape: [1], elements: Float32Array.of(Number.NaN) };
    const { infer, recorded } = await serve(engineThat(async () => [nan]));
    const response = await infer();
    expect([response.status, await response.json()]).toEqual([
      500,
      { error: 'The model failed on this request: element 0 of output "x" is NaN, which JSON cannot carry.' },
    ]);
    expect(recorded).toEqual(['serverError']);
  });
});

test('before the model is proven a request is refused and counted as shed, and the server is live but not ready', async () => {
  const { infer, recorded, port } = await serve(undefined);
  const response = await infer();
  expect([response.status, await response.json()]).toEqual([503, { error: 'The model is not loaded yet.' }]);
  expect(recorded).toEqual(['shed']);
  expect((await fetch(`http://127.0.0.1:${port}/v2/health/live`)).status).toBe(200);
  expect((await fetch(`http://127.0.0.1:${port}/v2/health/ready`)).status).toBe(503);
});

test.each([
  [{ headers: { 'content-encoding': 'gzip' } }, 'Send the body as it is, not gzip-encoded.'],
  [
    { headers: { 'inference-header-content-length': '10' } },
    'Binary tensors are not served; send the tensors as JSON "data".',
  ],
])('a body in another form is refused by name: %o', async (init, sentence) => {
  const { infer, recorded } = await serve(echo);
  const response = await infer(init);
  expect([response.status, await response.json()]).toEqual([415, { error: sentence }]);
  expect(recorded).toEqual(['clientError']);
});

test('a draining server still answers, and asks for the connection to be closed', async () => {
  const { infer, lifecycle } = await serve(echo);
  expect((await infer()).headers.get('connection')).toBe('keep-alive');
  lifecycle.drain();
  const response = await infer();
  expect([response.status, response.headers.get('connection')]).toEqual([200, 'close']);
});

test('a caller that goes away in mid-request is not counted and not waited for', async () => {
  const { port, lifecycle, recorded } = await serve(echo);
  const headers = { 'content-length': '500' };
  const caller = request({ port, method: 'POST', path: '/v2/models/flights/infer', headers }).on(
    'error',
    () => undefined,
  );
  caller.write('{');
  await vi.waitFor(() => expect(lifecycle.inFlight).toBe(1));
  caller.destroy();
  await vi.waitFor(() => expect(lifecycle.inFlight).toBe(0));
  expect(recorded).toEqual([]);
});

test('a body that grows beyond the limit without saying so is refused', async () => {
  const { port, recorded } = await serve(echo);
  const caller = request({ port, method: 'POST', path: '/v2/models/flights/infer' });
  for (let i = 0; i < 50; i++) caller.write('x'.repeat(100));
  caller.end();
  const [response] = await once(caller, 'response');
  expect([response.statusCode, JSON.parse(await text(response))]).toEqual([
    413,
    { error: 'The body may have 1000 bytes at most.' },
  ]);
  expect(recorded).toEqual(['clientError']);
});

test('what is not HTTP gets a 400 that names version and digest too', async () => {
  const { port } = await serve(echo);
  const socket = connect(port, '127.0.0.1').end('GARBAGE\r\n\r\n');
  const answer = await text(socket);
  expect(answer).toMatch(/^HTTP\/1\.1 400 Bad Request\r\n/);
  expect(answer).toContain('slipway-model-version: 1.4.0\r\n');
  expect(answer).toMatch(/\{"error":"This is not a valid HTTP request\."\}$/);
});

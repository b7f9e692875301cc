import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { gzipSync } from 'node:zlib';
import { beforeAll, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { slow } from '../../test/artifacts.ts';
import { accessBy } from '../access/access.ts';
import { KeyRing } from '../access/apiKeys.ts';
import { EngineError } from '../engine/engine.ts';
import { Refusals } from '../evidence/refusals.ts';
import type { ServedModel } from '../models/servedModel.ts';
import { WANTED } from '../observe/observation.ts';
import { copyOf } from '../tensor.ts';
import { mirror, openTestModel, type TestModel } from './testing/models.ts';
import { GOOD, INFER } from './testing/refusals.ts';
import { serving } from './testing/serving.ts';
import { exchangeAll, get, post } from './testing/socket.ts';

let opened: TestModel;
let sluggish: TestModel;
beforeAll(async () => {
  opened = await openTestModel(mirror);
  sluggish = await openTestModel(slow, { engine: { inline: 'Never' } });
  return async () => void (await Promise.all([opened.close(), sluggish.close()]));
});

const SLOW = '/v2/models/slow/infer';
const slowBody = { inputs: [{ name: 'x', datatype: 'FP32', shape: [1], data: [1] }] };
const outcomes = ({ model }: TestModel) => ({ ...model.evidence.counts().requests });

async function opening(port: number, bytes: Uint8Array): Promise<Socket> {
  const socket = connect(port, '127.0.0.1').on('error', () => undefined);
  await once(socket, 'connect');
  socket.write(bytes);
  onTestFinished(() => void socket.destroy());
  return socket;
}

/** The model with an engine that never answers. */
function stuck() {
  const count = { submitted: 0, cancelled: 0 };
  const { scheduler } = opened.model;
  const submit = () => {
    count.submitted += 1;
    const cancel = () => {
      count.cancelled += 1;
    };
    return { cancel };
  };
  const lease: typeof scheduler.lease = (shapes) => {
    const { inputs, release } = scheduler.lease(shapes);
    release();
    return { inputs, release, submit };
  };
  const model: ServedModel = { ...opened.model, scheduler: { ...scheduler, lease } };
  return { model, submitted: () => count.submitted, cancelled: () => count.cancelled };
}

const running = (model: TestModel) => model.model.scheduler.counts();

describe('a caller that goes away', () => {
  test('in the middle of its body leaves nothing, and is counted as its own fault', async () => {
    const { port, rest } = await serving([opened.model]);
    const before = outcomes(opened);
    const caller = await opening(port, post(INFER, '{', { 'content-length': '500' }));
    await vi.waitFor(() => expect(rest.inFlight).toBe(1));
    caller.destroy();
    await vi.waitFor(() => expect(rest.inFlight).toBe(0));
    expect(outcomes(opened)).toEqual({ ...before, clientError: before.clientError + 1 });
  });

  test('triton#4818, #8030, LitServe#165: while its request waits takes it out of the queue: the model is never asked', async () => {
    const { port, rest, send } = await serving([sluggish.model]);
    const first = send(post(SLOW, slowBody));
    await vi.waitFor(() => expect(running(sluggish).running).toBe(1));
    const runs = running(sluggish).runs;
    const caller = await opening(port, post(SLOW, slowBody));
    await vi.waitFor(() => expect(running(sluggish).waiting).toBe(1));
    caller.destroy();
    await vi.waitFor(() => expect([running(sluggish).waiting, rest.inFlight]).toEqual([0, 1]));
    expect((await first).status).toBe(200);
    expect([running(sluggish).runs - runs, running(sluggish).cancelledQueued]).toEqual([1, 1]);
  });
});

test('a caller that goes away while its body is read elsewhere leaves no lease', async () => {
  const { promise: read, resolve: endReading } = Promise.withResolvers<void>();
  const reading = vi.fn(() => read);
  const { port, rest } = await serving([opened.model], { reader: { reaches: () => true, read: reading } });
  const rows = 20_000;
  const x = { name: 'x', datatype: 'FP32', shape: [rows, 2], data: new Array(rows * 2).fill(1.25) };
  const n = { name: 'n', datatype: 'INT8', shape: [rows, 1], data: new Array(rows).fill(1) };
  const caller = await opening(port, post(INFER, { inputs: [x, n] }));
  await vi.waitFor(() => expect([reading.mock.calls.length > 0, opened.leased()]).toEqual([true, 1]));
  caller.destroy();
  await vi.waitFor(() => expect(rest.inFlight).toBe(0));
  endReading();
  await vi.waitFor(() => expect(opened.leased()).toBe(0));
});

describe('a request that takes too long', () => {
  test('for the server is a 504, and what it asked for is cancelled', async () => {
    const { model, cancelled } = stuck();
    const { send, rest } = await serving([model], { limits: { requestTimeoutMs: 20 } });
    const answer = await send(post(INFER, GOOD));
    expect([answer.status, answer.error]).toEqual([504, 'The answer took longer than 20 ms.']);
    expect([rest.inFlight, cancelled()]).toEqual([0, 1]);
  });

  test('for its caller is a 503 with a time to come again', async () => {
    const { send } = await serving([sluggish.model]);
    const answer = await send(post(SLOW, slowBody, { 'slipway-timeout-ms': '5' }));
    expect([answer.status, answer.headers['retry-after']]).toEqual([503, '1']);
    await vi.waitFor(() => expect(running(sluggish).running).toBe(0));
  });
});

describe('large bodies', () => {
  const SIZE = 300_000;
  const large = (id: string) => JSON.stringify({ id, ...GOOD }).padEnd(SIZE);
  const limits = { maxBodiesBytes: SIZE + 1, bodyTimeoutMs: 60_000 };

  test('are read one after the other when they do not fit beside each other, and small ones pass by', async () => {
    const { port, send, rest } = await serving([opened.model], { limits });
    const first = await opening(port, post(INFER, large('1')).subarray(0, 1000));
    await vi.waitFor(() => expect(rest.inFlight).toBe(1));
    const second = send(post(INFER, large('2')));
    await vi.waitFor(() => expect(rest.inFlight).toBe(2));
    expect((await send(post(INFER, GOOD))).status).toBe(200);
    expect(await Promise.race([second, 'waiting'])).toBe('waiting');
    first.destroy();
    expect(JSON.parse((await second).body.toString()).id).toBe('2');
  });

  test('wait for their turn without a word, and are told to come again when it does not come', async () => {
    const { model, submitted } = stuck();
    const { port, send } = await serving([model], { limits: { ...limits, bodyTimeoutMs: 500 } });
    await opening(port, post(INFER, large('1')));
    await vi.waitFor(() => expect(submitted()).toBe(1));
    const answer = await send(post(INFER, large('2')));
    expect([answer.status, answer.error, answer.headers['retry-after']]).toEqual([
      503,
      'Too many large requests are being read; try again later.',
      '1',
    ]);
  });

  test('in chunks of unknown number are not read any further while they wait', async () => {
    const { model, submitted } = stuck();
    const bounds = { ...limits, maxBodyBytes: 400_000, bodyTimeoutMs: 500 };
    const { port, send } = await serving([model], { limits: bounds });
    await opening(port, post(INFER, large('1')));
    await vi.waitFor(() => expect(submitted()).toBe(1));
    const head = `POST ${INFER} HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n`;
    const tooMuch = `${(500_000).toString(16)}\r\n${' '.repeat(500_000)}\r\n0\r\n\r\n`;
    expect((await send(Buffer.from(head + tooMuch))).status, 'not 413: it has not been looked at').toBe(503);
  });

  test('in chunks of unknown number, and packed ones, are answered too', async () => {
    const { port, send } = await serving([opened.model], { limits });
    const head = Buffer.from(`POST ${INFER} HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n`);
    const chunks = large('chunks').match(/.{1,50000}/gs) as string[];
    const framed = chunks.map((chunk) => Buffer.from(`${chunk.length.toString(16)}\r\n${chunk}\r\n`));
    const [answer] = await exchangeAll(port, Buffer.concat([head, ...framed, Buffer.from('0\r\n\r\n')]), 1);
    expect(answer?.status).toBe(200);
    const packed = post(INFER, gzipSync(large('packed')), { 'content-encoding': 'gzip' });
    const answers = await Promise.all([send(packed), send(packed), send(packed)]);
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200]);
  });

  test('are asked for when it is their turn, where the caller waits for that', async () => {
    const { port } = await serving([opened.model], { limits });
    const whole = post(INFER, large('asked'), { expect: '100-continue' });
    const head = whole.indexOf('\r\n\r\n') + 4;
    const [answer] = await exchangeAll(
      port,
      (socket) => {
        socket.write(whole.subarray(0, head));
        socket.once('data', () => socket.write(whole.subarray(head)));
      },
      1,
    );
    expect(JSON.parse(answer?.body.toString() ?? '').id).toBe('asked');
  });

  test('that are refused are read out, so that their caller gets the answer and can go on', async () => {
    const { port } = await serving([opened.model], { limits: { maxBodyBytes: 1000 } });
    const refused = post(INFER, 'x'.repeat(60_000));
    const answers = await exchangeAll(port, Buffer.concat([refused, post(INFER, GOOD)]), 2);
    expect(answers.map(({ status, headers }) => [status, headers['connection']])).toEqual([
      [413, 'keep-alive'],
      [200, 'keep-alive'],
    ]);
  });

  test('that are refused and too large to go on after them end the connection once they are there', async () => {
    const { port } = await serving([opened.model], { limits: { maxBodyBytes: 1_000_000 } });
    const whole = post('/nowhere', 'x'.repeat(500_000));
    const socket = await opening(port, whole.subarray(0, 1000));
    const [answer] = await once(socket, 'data');
    expect(String(answer)).toMatch(/^HTTP\/1\.1 404 /);
    const closed = once(socket, 'close');
    socket.write(whole.subarray(1000));
    await closed;
  });

  test('that are refused and never end cost no more than a body may have', async () => {
    const { port } = await serving([opened.model], { limits: { maxBodyBytes: 100_000 } });
    const socket = await opening(port, post(INFER, 'x', { 'content-length': String(2 ** 40) }));
    const closed = once(socket, 'close');
    const [answer] = await once(socket, 'data');
    expect(String(answer)).toMatch(/^HTTP\/1\.1 413 /);
    const flood = Buffer.alloc(50_000);
    const pump = setInterval(() => socket.write(flood), 1);
    await closed;
    clearInterval(pump);
  });
});

test('garbage behind a good request does not go before its answer, and ends the connection', async () => {
  const { port } = await serving([sluggish.model]);
  const bytes = Buffer.concat([post(SLOW, slowBody), Buffer.from('garbage\r\n\r\n')]);
  const [answer] = await exchangeAll(port, bytes, 1);
  expect([answer?.status, answer?.headers['connection'], answer?.rest.length]).toEqual([200, 'close', 0]);
});

test('a question that was asked of a version which has been swapped since is answered by the new one', async () => {
  const old: ServedModel = {
    ...opened.model,
    identity: { name: 'mirror', version: 'old', digest: 'sha256:old' },
    scheduler: {
      ...opened.model.scheduler,
      lease: () => {
        throw new EngineError('Closing', 'The model is being unloaded.');
      },
    },
  };
  const current = [old, old, opened.model];
  const { send } = await serving([old], {
    repository: { find: () => (current.length > 1 ? current.shift() : current[0]) },
  });
  const answer = await send(post(INFER, GOOD));
  expect([answer.status, answer.headers['slipway-model-version']]).toEqual([200, '1']);
});

test('a question to a version that closes and has no successor is a 503', async () => {
  const lease = () => {
    throw new EngineError('Closing', 'The model is being unloaded.');
  };
  const closing = { ...opened.model, scheduler: { ...opened.model.scheduler, lease } };
  const { send } = await serving([closing]);
  const answer = await send(post(INFER, GOOD));
  expect([answer.status, answer.error]).toEqual([503, 'The model is being unloaded.']);
});

test('a bug of ours is a 500 that keeps its stack for the log and out of the answer', async () => {
  const bug = new TypeError('x is not a function');
  const lease = () => {
    throw bug;
  };
  const { send, failures } = await serving([{ ...opened.model, scheduler: { ...opened.model.scheduler, lease } }]);
  const answer = await send(post(INFER, GOOD));
  expect([answer.status, answer.error]).toEqual([500, 'The server failed on this request.']);
  expect(failures).toEqual([{ sentence: answer.error, cause: bug }]);
});

describe('whoever watches requests', () => {
  const taken = vi.fn();
  const failed = vi.fn();
  const watched = (bits: number): ServedModel => ({
    ...opened.model,
    observation: { wants: () => bits, take: taken, failed, close: async () => undefined },
  });
  beforeEach(() => vi.clearAllMocks());

  test('gets copies of the inputs with the answer, when it wants them', async () => {
    const { send } = await serving([watched(WANTED.shadow | WANTED.inputs)]);
    await send(post(INFER, { id: 'a', ...GOOD }, { traceparent: '00-1-2-01' }));
    const [x] = opened.model.signature.inputs;
    expect(taken).toHaveBeenCalledExactlyOnceWith(
      expect.objectContaining({
        wanted: WANTED.shadow | WANTED.inputs,
        id: 'a',
        traceparent: '00-1-2-01',
        inputs: [
          copyOf({ name: x?.name ?? '', datatype: 'FP32', shape: [1, 2], elements: Float32Array.of(1.5, 2) }),
          expect.anything(),
        ],
        outcome: expect.objectContaining({ outputs: expect.any(Array) }),
        answered: expect.objectContaining({ outcome: 'ok', protocol: 'rest', rows: 1 }),
      }),
    );
  });

  test('gets nothing when it wants nothing', async () => {
    const { send } = await serving([watched(0)]);
    await send(post(INFER, GOOD));
    expect(taken).not.toHaveBeenCalled();
  });

  test('is told of every refusal', async () => {
    const { send } = await serving([watched(0)]);
    await send(post(INFER, 'x', { 'x-request-id': 'b' }));
    expect(failed).toHaveBeenCalledExactlyOnceWith(
      expect.objectContaining({ status: 400, id: 'b', sentence: expect.stringMatching(/JSON/) }),
    );
  });
});

test('connections beyond the limit are closed, and the log says so', async () => {
  const { port, failures } = await serving([opened.model], { limits: { maxConnections: 1 } });
  const first = await opening(port, get('/v2'));
  await once(first, 'data');
  await expect(exchangeAll(port, get('/v2'), 1)).rejects.toThrow();
  expect(failures).toEqual([{ sentence: 'More than 1 connections: one was closed.', cause: undefined }]);
});

test('what is refused before it reaches a model is counted by its reason', async () => {
  const refusals = new Refusals();
  const { send } = await serving([opened.model], { refusals, limits: { maxBodyBytes: 1000, headersTimeoutMs: 50 } });
  await send(post('/v2/models/other/infer', GOOD));
  await send(post(INFER, 'x'.repeat(1001)));
  await send(post(INFER, 'x', { 'content-encoding': 'br' }));
  await send(Buffer.from('garbage\r\n\r\n'));
  await send(Buffer.from('GET /v2 HTTP/1.1\r\n'));
  await send(post(INFER, 'x'));
  await send(get('/nowhere'));
  await send(get(INFER));
  expect(refusals.read()).toEqual({
    unknownModel: 1,
    tooLarge: 1,
    malformed: 2,
    tooSlow: 1,
    unauthorized: 0,
    rateLimited: 0,
    notReady: 0,
  });
});

test('the copy of another pod needs no key, but the pass of its order', async () => {
  const access = accessBy({ keys: new KeyRing([]), rate: undefined, now: () => 0 });
  const admitsCopy = (order: string, authorization: string) => `${order} ${authorization}` === 'o1 Shadow pass';
  const { send } = await serving([opened.model], { access, admitsCopy });
  const ask = async (order: string, authorization: string) =>
    (await send(post(INFER, GOOD, { 'slipway-shadow': order, authorization }))).status;
  expect([await ask('o1', 'Shadow pass'), await ask('o2', 'Shadow pass'), await ask('o1', 'Bearer x')]).toEqual([
    200, 401, 401,
  ]);
});

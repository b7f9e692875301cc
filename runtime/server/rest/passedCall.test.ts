import { once } from 'node:events';
import { createServer, type IncomingMessage, type RequestListener } from 'node:http';
import { type AddressInfo, connect, createServer as createSocketServer, type Socket } from 'node:net';
import { Worker } from 'node:worker_threads';
import { gzipSync } from 'node:zlib';
import type { SessionOrder } from '@slipway/crds/contract';
import { beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest';
import { CONNECT_MS } from '../sessions/passage.ts';
import { Sessions } from '../sessions/sessions.ts';
import { mirror, openTestModel, type TestModel } from './testing/models.ts';
import { GOOD, INFER } from './testing/refusals.ts';
import { type Setup, serving } from './testing/serving.ts';
import { get, post } from './testing/socket.ts';

let opened: TestModel;
beforeAll(async () => {
  opened = await openTestModel(mirror);
  return () => opened.close();
});

const USER = { 'x-user-id': 'alice' };
const counted = () => Object.values(opened.model.evidence.counts().requests).reduce((sum, n) => sum + n, 0);

interface Seen {
  readonly request: IncomingMessage;
  readonly body: Buffer;
}

/** The other arm: a real HTTP server that answers as told, with what it saw. */
async function otherArm(answer: RequestListener) {
  const seen: Seen[] = [];
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk) => chunks.push(chunk)).on('error', () => undefined);
    request.on('end', () => {
      seen.push({ request, body: Buffer.concat(chunks) });
      answer(request, response);
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  return { seen, server, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
}

/** A stable pod all of whose users belong to the version at `other`. */
async function stable(other: string, setup: Setup = {}, order: Partial<SessionOrder> = {}) {
  const clock = { now: 0 };
  const sessions = new Sessions(() => clock.now);
  onTestFinished(() => sessions.close());
  sessions.follow({
    id: 'r1-7',
    header: 'x-user-id',
    salt: 'r1',
    share: 10_000,
    arm: 'stable',
    other,
    expiresInSeconds: 5,
    ...order,
  });
  return { ...(await serving([opened.model], { sessions, ...setup })), sessions, clock };
}

const fine: RequestListener = (_, response) =>
  response.writeHead(200, { 'content-length': 7, 'slipway-model-version': '2.0.0' }).end('{"a":1}');

describe('a request of a user of the other version', () => {
  test('comes back as the other version answered it, and is counted there only', async () => {
    const { url, seen } = await otherArm((_, response) =>
      response
        .writeHead(422, { 'content-length': 14, 'slipway-model-version': '2.0.0', 'x-more': 'yes' })
        .end('{"error":"no"}'),
    );
    const { send, sessions, rest } = await stable(url);
    const before = counted();
    const answer = await send(post(INFER, GOOD, { ...USER, authorization: 'Bearer k', 'x-request-id': '7' }));
    expect([answer.status, answer.body.toString()]).toEqual([422, '{"error":"no"}']);
    expect(answer.headers).toMatchObject({ 'slipway-model-version': '2.0.0', 'x-more': 'yes' });
    expect(counted()).toBe(before);
    expect([sessions.counts(), rest.inFlight]).toEqual([{ forwarded: 1, failed: 0 }, 0]);
    const [{ request, body } = {} as Seen] = seen;
    expect([request.method, request.url, JSON.parse(body.toString())]).toEqual(['POST', INFER, GOOD]);
    expect(request.headers).toMatchObject({ ...USER, host: 'test', authorization: 'Bearer k', 'x-request-id': '7' });
    expect(request.headers['slipway-forwarded']).toBe('r1-7');
  });

  test('asked over V1 is passed on; metadata, health and what names a version are not', async () => {
    const { url, seen } = await otherArm(fine);
    const { send } = await stable(url);
    await send(post('/v1/models/mirror:predict', { instances: [] }, USER));
    expect(seen.map(({ request }) => request.url)).toEqual(['/v1/models/mirror:predict']);
    const here = [get('/v2/models/mirror', USER), get('/v2/health/ready', USER)];
    for (const bytes of [...here, post('/v2/models/mirror/versions/1/infer', GOOD, USER)])
      expect((await send(bytes)).status).toBe(200);
    expect(seen).toHaveLength(1);
  });

  test('has its key looked at first', async () => {
    const { url, seen } = await otherArm(fine);
    const { RequestError } = await import('../requestError.ts');
    const admit = (key: string | undefined) => (key === 'Bearer k' ? undefined : new RequestError(401, 'no key'));
    const { send } = await stable(url, { access: { admit } });
    expect((await send(post(INFER, GOOD, USER))).status).toBe(401);
    expect(seen).toEqual([]);
    expect((await send(post(INFER, GOOD, { ...USER, authorization: 'Bearer k' }))).status).toBe(200);
  });

  test('is unpacked on the way, and keeps none of the headers of its connection', async () => {
    const { url, seen } = await otherArm(fine);
    const { send } = await stable(url);
    const packed = gzipSync(JSON.stringify(GOOD));
    const hops = { connection: 'x-hop, keep-alive', 'x-hop': '1', te: 'trailers', 'content-encoding': 'gzip' };
    expect((await send(post(INFER, packed, { ...USER, ...hops }))).status).toBe(200);
    const [{ request, body } = {} as Seen] = seen;
    expect(JSON.parse(body.toString())).toEqual(GOOD);
    for (const name of ['x-hop', 'te', 'content-encoding']) expect(request.headers).not.toHaveProperty(name);
    expect(request.headers['content-length']).toBe(String(body.length));
  });

  test('has as much time as its caller has left', async () => {
    const { url, seen } = await otherArm(fine);
    const times = [1000, 1030];
    const { send } = await stable(url, { elapsed: () => times.shift() ?? 1040 });
    await send(post(INFER, GOOD, { ...USER, 'Slipway-Timeout-Ms': '100' }));
    await send(post(INFER, GOOD, { ...USER, 'slipway-timeout-ms': 'soon' }));
    expect(seen.map(({ request }) => request.headers['slipway-timeout-ms'])).toEqual(['70', 'soon']);
  });

  test('may be large, and so may its answer', async () => {
    const large = 'x'.repeat(3_000_000);
    const { url, seen } = await otherArm((_, response) =>
      response.writeHead(200, { 'content-length': large.length }).end(large),
    );
    const { send } = await stable(url);
    const answer = await send(post(INFER, large, USER));
    expect(answer.body.toString() === large).toBe(true);
    expect(seen[0]?.body.toString() === large).toBe(true);
  });

  test('is answered here from the moment on that the order is over', async () => {
    const { url, seen } = await otherArm(fine);
    const { send, clock, sessions } = await stable(url);
    clock.now = 4999;
    await send(post(INFER, GOOD, USER));
    clock.now = 5000;
    expect((await send(post(INFER, GOOD, USER))).headers['slipway-model-version']).toBe('1');
    expect(seen).toHaveLength(1);
    expect(sessions.counts()).toEqual({ forwarded: 1, failed: 0 });
  });

  test('is answered here once an order says null', async () => {
    const { url, seen } = await otherArm(fine);
    const { send, sessions } = await stable(url);
    sessions.follow(null);
    expect((await send(post(INFER, GOOD, USER))).status).toBe(200);
    expect(seen).toEqual([]);
  });
});

/** A server of bare sockets. */
async function sockets(take: (socket: Socket) => void): Promise<string> {
  const open = new Set<Socket>();
  const server = createSocketServer((socket) => {
    open.add(socket.on('error', () => undefined));
    take(socket);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.close();
    for (const socket of open) socket.destroy();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const NEVER_ACCEPTS = `
  const { parentPort } = require('node:worker_threads');
  const server = require('node:net').createServer().listen({ port: 0, host: '127.0.0.1', backlog: 1 }, () => {
    parentPort.postMessage(server.address().port);
    setImmediate(() => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0));
  });`;

/** A port whose queue of connections is full and never gets shorter: the kernel drops what would be one more. */
async function silence(): Promise<string> {
  const worker = new Worker(NEVER_ACCEPTS, { eval: true });
  const [port] = (await once(worker, 'message')) as [number];
  const waiting = Array.from({ length: 4 }, () => connect(port, '127.0.0.1').on('error', () => undefined));
  onTestFinished(async () => {
    for (const socket of waiting) socket.destroy();
    await worker.terminate();
  });
  await vi.waitFor(() => expect(waiting.filter(({ connecting }) => !connecting)).toHaveLength(2));
  return `http://127.0.0.1:${port}`;
}

describe('where the way to the other version fails, the user has an answer from here, counted here:', () => {
  const answeredHere = async (other: string) => {
    const { send, sessions } = await stable(other);
    const before = counted();
    const answer = await send(post(INFER, GOOD, USER));
    expect([answer.status, answer.headers['slipway-model-version']]).toEqual([200, '1']);
    expect(counted()).toBe(before + 1);
    expect(sessions.counts()).toEqual({ forwarded: 0, failed: 1 });
  };

  test('nobody listens', async () => {
    const { url, server } = await otherArm(fine);
    server.close();
    await once(server, 'close');
    await answeredHere(url);
  });

  test('the connection is closed before an answer', async () => {
    await answeredHere(await sockets((socket) => socket.once('data', () => socket.resetAndDestroy())));
  });

  test('the answer breaks off in its middle', async () => {
    const half = 'HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{"a"';
    await answeredHere(await sockets((socket) => socket.once('data', () => socket.end(half))));
  });

  test('no name leads there', async () => {
    await answeredHere('http://candidate.invalid:8080');
  });

  test('no connection comes about: for a second nobody else waits for one', async () => {
    const { send, sessions, clock } = await stable(await silence());
    const askAndFail = async (failed: number) => {
      expect((await send(post(INFER, GOOD, USER))).headers['slipway-model-version']).toBe('1');
      expect(sessions.counts()).toEqual({ forwarded: 0, failed });
    };
    await askAndFail(1);
    const begin = performance.now();
    for (const failed of [2, 3, 4, 5]) await askAndFail(failed);
    expect(performance.now() - begin).toBeLessThan(4 * CONNECT_MS);
    clock.now = 1001;
    expect((await send(post(INFER, GOOD, USER))).status).toBe(200);
  });
});

test('a large answer that breaks off ends the connection of the user, who would wait for the rest', async () => {
  const half = Buffer.concat([
    Buffer.from('HTTP/1.1 200 OK\r\ncontent-length: 3000000\r\n\r\n'),
    Buffer.alloc(400_000),
  ]);
  const { send, rest } = await stable(await sockets((socket) => socket.once('data', () => socket.end(half))));
  await expect(send(post(INFER, GOOD, USER))).rejects.toThrow(/closed after 0 answers|ECONNRESET/);
  expect(rest.inFlight).toBe(0);
});

test('a pod that leaves passes on all the same, and asks for the connection to be closed', async () => {
  const { url } = await otherArm(fine);
  const { send, state } = await stable(url);
  state.phase = 'Draining';
  const { status, headers } = await send(post(INFER, GOOD, USER));
  expect([status, headers['slipway-model-version'], headers['connection']]).toEqual([200, '2.0.0', 'close']);
});

test('a new address is tried at once, whatever was learned of the one before', async () => {
  const { url } = await otherArm(fine);
  const { send, sessions } = await stable(await silence());
  await send(post(INFER, GOOD, USER));
  const order = {
    id: 'r2',
    header: 'x-user-id',
    salt: 'r2',
    share: 10_000,
    arm: 'stable',
    expiresInSeconds: 5,
  } as const;
  sessions.follow({ ...order, other: url });
  expect((await send(post(INFER, GOOD, USER))).headers['slipway-model-version']).toBe('2.0.0');
});

test('a kept connection that is closed as it is used again costs a user nothing: a new one is made', async () => {
  const answer = 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\nslipway-model-version: 2.0.0\r\n\r\n{}';
  const connections: Socket[] = [];
  const url = await sockets((socket) => {
    connections.push(socket);
    socket.once('data', () => {
      socket.write(answer);
      socket.once('data', () => socket.resetAndDestroy());
    });
  });
  const { send, sessions } = await stable(url);
  for (let i = 0; i < 2; i++)
    expect((await send(post(INFER, GOOD, USER))).headers['slipway-model-version']).toBe('2.0.0');
  expect(sessions.counts()).toEqual({ forwarded: 2, failed: 0 });
  expect(connections).toHaveLength(2);
});

test('a caller that goes away takes its question from the other version, and is counted by nobody here', async () => {
  const { url, seen } = await otherArm(() => undefined);
  const { send, rest } = await stable(url);
  const before = counted();
  const gone = send((socket) => {
    socket.write(post(INFER, GOOD, USER));
    void vi.waitFor(() => expect(seen).toHaveLength(1)).then(() => socket.destroy());
  });
  await expect(gone).rejects.toThrow('closed after 0 answers');
  await vi.waitFor(() => expect(rest.inFlight).toBe(0));
  await vi.waitFor(() => expect(seen[0]?.request.socket.destroyed).toBe(true));
  expect(counted()).toBe(before);
});

test('a version that hangs is given time to say so itself; then the user is told, and nobody is blamed for it', async () => {
  const { url, seen } = await otherArm(() => undefined);
  const clock = { now: 0 };
  const { send, sessions } = await stable(url, {
    elapsed: () => clock.now,
    limits: { requestTimeoutMs: 50 },
  });
  const before = counted();
  const answer = send(post(INFER, GOOD, USER));
  await vi.waitFor(() => expect(seen).toHaveLength(1));
  clock.now = 2500; // past the bound of a request here, and within that of one that is passed on
  const early = await Promise.race([answer, new Promise((resolve) => setTimeout(resolve, 100, 'waits'))]);
  expect(early).toBe('waits');
  clock.now = 2600;
  expect(await answer).toMatchObject({ status: 504, error: 'The version that this user belongs to did not answer.' });
  expect((await answer).headers).not.toHaveProperty('slipway-model-version');
  expect([counted(), sessions.counts().forwarded]).toEqual([before, 0]);
});

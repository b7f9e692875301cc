import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { afterAll, beforeAll, expect, onTestFinished, test, vi } from 'vitest';
import { slow } from '../../../test/artifacts.ts';
import { accessBy } from '../../access/access.ts';
import { KeyRing } from '../../access/apiKeys.ts';
import { mirror, openTestModel, type TestModel } from '../testing/models.ts';
import { GOOD, INFER } from '../testing/refusals.ts';
import { type Setup, serving } from '../testing/serving.ts';
import { answerIn, post } from '../testing/socket.ts';

let opened: TestModel;
let sluggish: TestModel;
beforeAll(async () => {
  opened = await openTestModel(mirror);
  sluggish = await openTestModel(slow, { engine: { inline: 'Never' } });
});
afterAll(() => Promise.all([opened.close(), sluggish.close()]));

const SLOW = '/v2/models/slow/infer';
const slowBody = { inputs: [{ name: 'x', datatype: 'FP32', shape: [1], data: [1] }] };

/** A server, how many requests node:http has read, and a caller whose connection the lane has. */
async function lane(setup: Setup = {}) {
  const port = await serving([opened.model, sluggish.model], setup);
  const byNode = vi.fn();
  port.server.on('request', byNode);
  const call = async () => {
    const socket = connect(port.port, '127.0.0.1').on('error', () => undefined);
    onTestFinished(() => void socket.destroy());
    await once(socket, 'connect');
    return socket;
  };
  return { ...port, byNode, call };
}

async function answered(socket: Socket) {
  let received: Buffer = Buffer.alloc(0);
  for (let answer = answerIn(received); ; answer = answerIn(received)) {
    if (answer) return answer;
    const [bytes] = await once(socket, 'data');
    received = Buffer.concat([received, bytes as Buffer]);
  }
}

const running = () => sluggish.model.scheduler.counts();

test('plain questions are answered without node:http, and whatever else comes on the connection by it', async () => {
  const { call, byNode } = await lane();
  const socket = await call();
  for (const _ of [1, 2]) {
    socket.write(post(INFER, GOOD));
    expect((await answered(socket)).status).toBe(200);
  }
  expect(byNode).not.toHaveBeenCalled();
  socket.write('GET /v2 HTTP/1.1\r\nHost: t\r\n\r\n');
  expect((await answered(socket)).status).toBe(200);
  socket.write(post(INFER, GOOD));
  expect((await answered(socket)).status).toBe(200);
  expect(byNode).toHaveBeenCalledTimes(2);
});

test('a server without a lane lets node:http read all of them', async () => {
  const { call, byNode } = await lane({ fastLane: false });
  const socket = await call();
  socket.write(post(INFER, GOOD));
  expect((await answered(socket)).status).toBe(200);
  expect(byNode).toHaveBeenCalledOnce();
});

test('a caller that goes away while its question waits takes it out of the queue', async () => {
  const { call, rest, byNode } = await lane();
  const [first, second] = [await call(), await call()];
  const { cancelledQueued } = running();
  first.write(post(SLOW, slowBody));
  await vi.waitFor(() => expect(running().running).toBe(1));
  second.write(post(SLOW, slowBody));
  await vi.waitFor(() => expect(running().waiting).toBe(1));
  second.resetAndDestroy();
  await vi.waitFor(() => expect([running().waiting, rest.inFlight]).toEqual([0, 1]));
  expect((await answered(first)).status).toBe(200);
  expect([running().cancelledQueued - cancelledQueued, byNode.mock.calls.length]).toEqual([1, 0]);
});

test('questions that come before the last one is answered are answered in their turn, however many', async () => {
  const { call } = await lane();
  const socket = await call();
  socket.write(post(SLOW, { id: 'first', ...slowBody }));
  await vi.waitFor(() => expect(running().running).toBe(1));
  const many = Array.from({ length: 200 }, (_, i) =>
    post(INFER, JSON.stringify({ id: String(i), ...GOOD }).padEnd(1000)),
  );
  for (const one of many) socket.write(one);
  let received: Buffer = Buffer.alloc(0);
  const ids: string[] = [];
  while (ids.length <= many.length) {
    const [bytes] = await once(socket, 'data');
    received = Buffer.concat([received, bytes as Buffer]);
    for (let answer = answerIn(received); answer; answer = answerIn(received)) {
      received = answer.rest;
      ids.push(JSON.parse(answer.body.toString()).id);
    }
  }
  expect(ids).toEqual(['first', ...many.map((_, i) => String(i))]);
});

test('an answer says that its connection ends while the server leaves, and ends it', async () => {
  const { call, state, byNode } = await lane();
  const socket = await call();
  state.phase = 'Draining';
  socket.write(post(INFER, GOOD));
  const ended = once(socket, 'end');
  expect((await answered(socket)).headers['connection']).toBe('close');
  await ended;
  expect(byNode).not.toHaveBeenCalled();
});

test('a port that closes ends idle connections and answers what is under way', async () => {
  const { call, server } = await lane();
  const [idle, busy] = [await call(), await call()];
  idle.write(post(INFER, GOOD));
  await answered(idle);
  busy.write(post(SLOW, slowBody));
  await vi.waitFor(() => expect(running().running).toBe(1));
  const gone = once(idle, 'close');
  const closed = new Promise((resolve) => server.close(resolve));
  await gone;
  expect((await answered(busy)).status).toBe(200);
  busy.end();
  await closed;
});

test('every question shows its key, and one that is refused leaves the connection of use', async () => {
  const access = accessBy({ keys: new KeyRing([]), rate: undefined, now: () => 0 });
  const { call, byNode } = await lane({ access });
  const socket = await call();
  const question = post(INFER, GOOD);
  socket.write(question.subarray(0, -10));
  expect((await answered(socket)).status).toBe(401);
  socket.write(question.subarray(-10));
  socket.write(question);
  expect((await answered(socket)).status).toBe(401);
  expect(byNode).not.toHaveBeenCalled();
});

test('a body that does not come in time is a 408 that ends the connection', async () => {
  const { call, byNode } = await lane({ limits: { bodyTimeoutMs: 50 } });
  const socket = await call();
  socket.write(post(INFER, GOOD).subarray(0, -10));
  const ended = once(socket, 'end');
  expect((await answered(socket)).status).toBe(408);
  await ended;
  expect(byNode).not.toHaveBeenCalled();
});

test('text that is not ASCII comes back as it was sent', async () => {
  const { call, byNode } = await lane();
  const socket = await call();
  socket.write(post(INFER, { id: 'Zürich 東京', ...GOOD }));
  expect(JSON.parse((await answered(socket)).body.toString('utf8')).id).toBe('Zürich 東京');
  expect(byNode).not.toHaveBeenCalled();
});

test('binary tensors are answered in binary', async () => {
  const { call, byNode } = await lane();
  const outputs = [{ name: 'x_out', parameters: { binary_data: true } }];
  const socket = await call();
  socket.write(post(INFER, { ...GOOD, outputs }));
  const { headers, body } = await answered(socket);
  const start = Number(headers['inference-header-content-length']);
  expect([body.readFloatLE(start), body.readFloatLE(start + 4), body.length - start]).toEqual([1.5, 2, 8]);
  expect(byNode).not.toHaveBeenCalled();
});

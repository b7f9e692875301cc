import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { type ClientHttp2Session, connect, type OutgoingHttpHeaders } from 'node:http2';
import { connect as connectSocket, type Server } from 'node:net';
import { join } from 'node:path';
import { connect as connectTls } from 'node:tls';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';
import { credentials } from '@grpc/grpc-js';
import { afterAll, afterEach, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest';
import { temporaryFolder } from '../../test/temporaryFolder.ts';
import { Certificate } from '../access/tls.ts';
import { openTestModel, type TestModel } from '../rest/testing/models.ts';
import { settingsFrame } from './http2/frames.ts';
import { encodeHeaders } from './http2/hpack/encode.ts';
import { FLAG, PREFACE, SETTING } from './http2/protocol.ts';
import { body, headers } from './http2/testing/peer.ts';
import { encode } from './proto/codec.ts';
import { refusalOf, TestClient } from './testing/client.ts';
import { floatsOf, pair, pairOf, pairRequest } from './testing/models.ts';
import { serving } from './testing/serving.ts';

let open: TestModel;
beforeAll(async () => {
  open = await openTestModel(pair);
});
afterAll(() => open.close());
afterEach(() => vi.useRealTimers());

const PATH = '/inference.GRPCInferenceService/ModelInfer';
const question = Buffer.from(encode('inference.ModelInferRequest', pairRequest(1, 2)));
const framed = (message: Uint8Array, flag = 0, length = message.length): Buffer => {
  const prefix = Buffer.from([flag, 0, 0, 0, 0]);
  prefix.writeUInt32BE(length, 1);
  return Buffer.concat([prefix, message]);
};

interface Ended {
  readonly http: number;
  /** -1: there was none. */
  readonly code: number;
  readonly sentence: string;
  readonly head: Readonly<Record<string, unknown>>;
}

/** A call by Node's own HTTP/2, which lets us send what no client of gRPC sends. */
async function call(session: ClientHttp2Session, head: OutgoingHttpHeaders, sent: Uint8Array): Promise<Ended> {
  const stream = session.request({
    ':method': 'POST',
    ':path': PATH,
    'content-type': 'application/grpc',
    te: 'trailers',
    ...head,
  });
  let all: Record<string, unknown> = {};
  stream.on('response', (first) => {
    all = { ...all, ...first };
  });
  stream.on('trailers', (last) => {
    all = { ...all, ...last };
  });
  stream.resume();
  if (head[':method'] === 'GET') stream.end();
  else stream.end(sent);
  await new Promise((resolve, reject) => stream.on('close', resolve).on('error', reject));
  const sentence = decodeURIComponent(String(all['grpc-message'] ?? ''));
  return { http: Number(all[':status']), code: Number(all['grpc-status'] ?? -1), sentence, head: all };
}

async function started(setup: Parameters<typeof serving>[1] = {}) {
  const server = await serving([open.model], setup);
  const session = connect(`http://${server.address}`, { maxSessionMemory: 1000 });
  onTestFinished(() => session.destroy());
  return { ...server, session };
}

const noCalls: readonly [string, OutgoingHttpHeaders, number][] = [
  ['GET', { ':method': 'GET' }, 405],
  ['another content type', { 'content-type': 'application/json' }, 415],
  ['no content type', { 'content-type': undefined }, 415],
];

test.each(noCalls)('%s is no call of gRPC', async (_what, head, status) => {
  const { session } = await started();
  expect(await call(session, head, framed(question))).toMatchObject({ http: status, code: -1 });
  expect(await call(session, {}, framed(question))).toMatchObject({ code: 0 });
});

const badCalls: readonly [string, OutgoingHttpHeaders, Buffer, number, RegExp][] = [
  [
    'a deadline that is none',
    { 'grpc-timeout': 'soon' },
    framed(question),
    3,
    /grpc-timeout must be up to eight digits/,
  ],
  ['a deadline of nine digits', { 'grpc-timeout': '123456789S' }, framed(question), 3, /grpc-timeout must be/],
  ['an unknown packing', { 'grpc-encoding': 'snappy' }, framed(question, 1), 12, /gzip or deflate, or not at all/],
  ['a packed message without packing', {}, framed(gzipSync(question), 1), 3, /no grpc-encoding says how/],
  [
    'a message that is not packed as it says',
    { 'grpc-encoding': 'gzip' },
    framed(question, 1),
    3,
    /not packed as grpc-encoding says/,
  ],
  [
    'a large one of the same',
    { 'grpc-encoding': 'deflate' },
    framed(Buffer.alloc(10_000, 7), 1),
    3,
    /not packed as grpc-encoding says/,
  ],
  ['a flag that there is not', {}, framed(question, 2), 3, /begins with the byte 2; 0 is plain and 1 is packed/],
  [
    'a flag that there is not, in pieces',
    {},
    Buffer.concat([framed(question), framed(question, 9)]),
    3,
    /begins with the byte 9/,
  ],
  ['no message', {}, Buffer.alloc(0), 12, /ended without it/],
  ['half a prefix', {}, Buffer.from([0, 0, 0]), 3, /ends in the middle of a message/],
  ['half a message', {}, framed(question, 0, question.length + 1), 3, /ends in the middle of a message/],
  ['two messages', {}, Buffer.concat([framed(question), framed(question)]), 12, /takes one message/],
  ['a message larger than 4 GB would be', {}, framed(question, 0, 0xffff_ffff), 8, /may have \d+ bytes at most/],
  [
    'more metadata than is taken',
    { 'x-large': 'v'.repeat(20_000) },
    framed(question),
    8,
    /metadata of the call is larger/,
  ],
];

test.each(badCalls)('%s is refused, and the connection lives on', async (_what, head, sent, code, sentence) => {
  const { session, failures } = await started();
  const ended = await call(session, head, sent);
  expect(ended).toMatchObject({ http: 200, code, sentence: expect.stringMatching(sentence) });
  expect(await call(session, {}, framed(question))).toMatchObject({ http: 200, code: 0 });
  expect(failures).toEqual([]);
});

test('elements and metadata are bounded by the settings', async () => {
  const { session } = await started({ limits: { maxElements: 1, maxHeaderBytes: 400 } });
  expect(await call(session, {}, framed(question))).toMatchObject({
    code: 3,
    sentence: expect.stringMatching(/^Input "x": shape \[1,2\] means 2 elements, at most 1 can be here\.$/),
  });
  expect(await call(session, { 'x-large': 'v'.repeat(500) }, framed(question))).toMatchObject({
    code: 8,
    sentence: expect.stringMatching(/metadata of the call is larger/),
  });
});

test('an unknown packing is answered with those that are known', async () => {
  const { session } = await started();
  const { head } = await call(session, { 'grpc-encoding': 'snappy' }, framed(question, 1));
  expect(head['grpc-accept-encoding']).toBe('identity,gzip,deflate');
});

/** Sends bytes over a bare socket; resolves with what came back when the server ends the connection. */
async function socket(port: number, ...bytes: readonly Uint8Array[]) {
  const client = connectSocket(port, '127.0.0.1');
  onTestFinished(() => void client.destroy());
  const received: Buffer[] = [];
  client.on('data', (chunk) => received.push(chunk));
  client.on('error', () => undefined);
  const closed = new Promise<Buffer>((resolve) => client.on('close', () => resolve(Buffer.concat(received))));
  await new Promise<void>((resolve) => client.once('connect', resolve));
  client.write(Buffer.concat(bytes));
  return { client, closed };
}

/** Lets seconds pass for the server alone. */
function passing() {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
  let now = 0;
  return {
    elapsed: () => now,
    seconds: (count: number) => {
      for (let i = 0; i < count; i++) {
        now += 1000;
        vi.advanceTimersByTime(1000);
      }
    },
  };
}

const GREETING = Buffer.concat([PREFACE, settingsFrame([])]);
const INFER = encodeHeaders([
  { name: ':method', value: 'POST' },
  { name: ':scheme', value: 'http' },
  { name: ':path', value: PATH },
  { name: 'content-type', value: 'application/grpc' },
]);

const connected = (server: Server, count: number) =>
  vi.waitFor(async () => {
    const open = await new Promise((resolve) => server.getConnections((_error, n) => resolve(n)));
    expect(open).toBe(count);
  });

describe('a caller that is slow', () => {
  test.each([
    ['to greet', PREFACE.subarray(0, 10)],
    ['with its settings', PREFACE],
    ['with a frame', Buffer.concat([GREETING, headers(1).subarray(0, 12)])],
    ['with a header block', Buffer.concat([GREETING, headers(1, 0)])],
  ])('%s loses its connection', async (_what, bytes) => {
    const { elapsed, seconds } = passing();
    const { port, grpc } = await serving([open.model], { elapsed });
    const { closed } = await socket(port, bytes);
    await connected(grpc.server, 1);
    // The bytes may still be on their way when the connection is there; they change nothing about the time.
    seconds(13);
    await closed;
  });

  test('with its message is told so, and others go on', async () => {
    const { elapsed, seconds } = passing();
    const { session, grpc } = await started({ elapsed, limits: { bodyTimeoutMs: 5000 } });
    const slow = session.request({ ':method': 'POST', ':path': PATH, 'content-type': 'application/grpc' });
    slow.write(framed(question).subarray(0, 9));
    const told = new Promise((resolve) => slow.on('response', (head) => resolve(head['grpc-status'])));
    await vi.waitFor(() => expect(grpc.inFlight).toBe(1));
    expect(await call(session, {}, framed(question))).toMatchObject({ code: 0 });
    seconds(7);
    expect(await told).toBe('4');
    expect(await call(session, {}, framed(question))).toMatchObject({ code: 0 });
  });

  test('to read its answers loses its connection', async () => {
    const { elapsed, seconds } = passing();
    const { port, grpc } = await serving([open.model], { elapsed, limits: { bodyTimeoutMs: 5000 } });
    const shut = settingsFrame([[SETTING.initialWindowSize, 0]]);
    const { closed } = await socket(
      port,
      PREFACE,
      shut,
      headers(1, FLAG.endHeaders, INFER),
      body(1, framed(question), FLAG.endStream),
    );
    await vi.waitFor(() => expect(grpc.inFlight).toBe(1));
    await vi.waitFor(() => {
      seconds(1);
      expect(elapsed()).toBeGreaterThan(9000);
    });
    await closed;
  });

  test('is one connection of those that there may be', async () => {
    const { port, failures, grpc } = await serving([open.model], { limits: { maxConnections: 1 } });
    await socket(port, GREETING);
    await connected(grpc.server, 1);
    await (await socket(port, GREETING)).closed;
    expect(failures.map(({ sentence }) => sentence)).toEqual(['More than 1 connections: one was closed.']);
  });
});

describe('large messages', () => {
  const large = pairOf(new Float32Array(1_000_000));
  const bytes = framed(Buffer.from(encode('inference.ModelInferRequest', large)));

  test('come in by turns, and all are answered', async () => {
    const { session } = await started({ limits: { maxBodiesBytes: 7_000_000 } });
    const answers = await Promise.all(Array.from({ length: 6 }, () => call(session, {}, bytes)));
    expect(answers.map(({ code }) => code)).toEqual([0, 0, 0, 0, 0, 0]);
  });

  test('triton#3451: that nobody has room for are UNAVAILABLE, and leave none taken', async () => {
    const { session, grpc } = await started({ limits: { maxBodiesBytes: 1_500_000 } });
    const half = session.request({ ':method': 'POST', ':path': PATH, 'content-type': 'application/grpc' });
    half.write(framed(Buffer.alloc(900_000), 0, 1_000_000));
    half.on('error', () => undefined);
    await vi.waitFor(() => expect(grpc.inFlight).toBe(1));
    const refused = await call(session, {}, framed(Buffer.alloc(900_000)));
    expect(refused).toMatchObject({ code: 14, sentence: 'Too many requests are being read; come again in a moment.' });
    half.close();
    await vi.waitFor(() => expect(grpc.inFlight).toBe(0));
    expect(await call(session, {}, framed(Buffer.alloc(900_000)))).toMatchObject({ code: 3 });
  });
});

async function selfSigned(): Promise<{ readonly key: string; readonly cert: string }> {
  const folder = await temporaryFolder('grpc-tls');
  const [key, cert] = [join(folder, 'tls.key'), join(folder, 'tls.crt')];
  const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1'];
  const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost', '-days', '30'];
  await promisify(execFile)('openssl', ['req', '-x509', '-nodes', ...curve, '-keyout', key, '-out', cert, ...subject]);
  return { key: await readFile(key, 'utf8'), cert: await readFile(cert, 'utf8') };
}

test('prefixes that promise much take no room from others before it comes', async () => {
  const { session, grpc } = await started({ limits: { maxBodiesBytes: 3_000_000 } });
  for (let i = 0; i < 20; i++) {
    const liar = session.request({ ':method': 'POST', ':path': PATH, 'content-type': 'application/grpc' });
    liar.on('error', () => undefined).write(framed(Buffer.alloc(10), 0, 1_000_000));
  }
  await vi.waitFor(() => expect(grpc.inFlight).toBe(20));
  expect(await call(session, {}, framed(Buffer.alloc(900_000)))).toMatchObject({ code: 3 });
});

describe('over TLS', async () => {
  const pairs = [await selfSigned(), await selfSigned()] as const;

  async function secured() {
    const certificate = new Certificate();
    certificate.replace(pairs[0]);
    const { port } = await serving([open.model], { certificate });
    const clientTrusting = (pair: { readonly cert: string }) =>
      new TestClient(`localhost:${port}`, {}, credentials.createSsl(Buffer.from(pair.cert)));
    return { port, certificate, clientTrusting };
  }
  const answered = async (client: TestClient) => floatsOf((await client.call('ModelInfer', pairRequest(1, 2))).message);

  test('the port speaks HTTP/2 and nothing else', async () => {
    const { port, clientTrusting } = await secured();
    expect(await answered(clientTrusting(pairs[0]))).toEqual([1, 2]);
    const other = connectTls({ port, rejectUnauthorized: false, ALPNProtocols: ['http/1.1'] });
    onTestFinished(() => void other.destroy());
    await expect(once(other, 'secureConnect')).rejects.toThrow(/alert/i);
  });

  test('a new certificate is shown to new connections, and costs none that is open a call', async () => {
    const { certificate, clientTrusting } = await secured();
    const early = clientTrusting(pairs[0]);
    expect(await answered(early)).toEqual([1, 2]);
    const before = Array.from({ length: 20 }, () => answered(early));
    certificate.replace(pairs[1]);
    const after = Array.from({ length: 20 }, () => answered(early));
    expect(new Set((await Promise.all([...before, ...after])).map(String))).toEqual(new Set(['1,2']));
    expect(await answered(clientTrusting(pairs[1]))).toEqual([1, 2]);
    expect((await refusalOf(answered(clientTrusting(pairs[0])))).code).toBe(14);
  });
});

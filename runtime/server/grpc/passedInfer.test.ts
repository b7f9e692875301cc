import { once } from 'node:events';
import { createServer, type Http2Server, type ServerHttp2Stream } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { status } from '@grpc/grpc-js';
import { RESPONSE_HEADERS, type SessionOrder } from '@slipway/crds/contract';
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest';
import { node } from '../../onnx/builders.ts';
import type { PortDependencies } from '../portDependencies.ts';
import { openTestModel, type TestModel } from '../rest/testing/models.ts';
import type { SetupOf } from '../rest/testing/serving.ts';
import { bucketOf } from '../sessions/arm.ts';
import { Sessions } from '../sessions/sessions.ts';
import { refusalOf, TestClient } from './testing/client.ts';
import { floatsOf, pair, pairRequest } from './testing/models.ts';
import { serving } from './testing/serving.ts';

let opened: { readonly old: TestModel; readonly new: TestModel };
beforeAll(async () => {
  const negated = { ...pair, nodes: [node('Neg', ['x'], 'y')] };
  opened = { old: await openTestModel(pair), new: await openTestModel(negated) };
});
afterAll(async () => {
  await opened.old.close();
  await opened.new.close();
});

const answered = ({ model }: TestModel) =>
  Object.values(model.evidence.counts().requests).reduce((sum, count) => sum + count, 0);

/** All users belong to the other arm, whose REST port nobody needs here. */
const ORDER: SessionOrder = {
  id: 'r1-7',
  header: 'x-user-id',
  salt: 'r1',
  share: 10_000,
  arm: 'stable',
  other: 'http://127.0.0.1:1',
  expiresInSeconds: 60,
};

interface Pod {
  readonly sessions: Sessions;
  readonly client: TestClient;
  readonly port: number;
}

/** A server of a version, whose users' other version has its gRPC port there. */
async function pod(of: TestModel, otherPort: number, setup: SetupOf<PortDependencies> = {}): Promise<Pod> {
  const sessions = new Sessions(() => performance.now(), otherPort);
  onTestFinished(() => sessions.close());
  const { address, port } = await serving([of.model], { ...setup, sessions });
  return { sessions, port, client: new TestClient(address) };
}

async function passing(setup: SetupOf<PortDependencies> = {}): Promise<Pod> {
  const other = await serving([opened.new.model]);
  const stable = await pod(opened.old, other.port, setup);
  stable.sessions.follow(ORDER);
  return stable;
}

const ask = async ({ client }: Pod, metadata: Record<string, string> = { 'x-user-id': 'alice' }, more: object = {}) =>
  client.call('ModelInfer', { ...pairRequest(1, 2), ...more }, { metadata });
const versionOf = ({ message }: Awaited<ReturnType<typeof ask>>) => (floatsOf(message)[0] === 1 ? 'old' : 'new');

describe('users who call over gRPC', () => {
  const AT_ONCE = 50;
  const USERS = Array.from({ length: 1000 }, (_, i) => `user-${i}`);

  test('flagger#1647, flagger#1532: a 10 % canary keeps the same 10 % whatever pod they hit; at 25 % none of them leaves', async () => {
    const candidatePort = await freePort();
    const stable = await pod(opened.old, candidatePort);
    const candidate = await podAt(candidatePort, stable.port);
    const split = (share: number) => {
      stable.sessions.follow({ ...ORDER, share });
      candidate.sessions.follow({ ...ORDER, share, arm: 'candidate' });
    };
    const versions: string[] = [];
    const ofCandidate = async (at: (i: number) => Pod) => {
      for (let from = 0; from < USERS.length; from += AT_ONCE) {
        const some = USERS.slice(from, from + AT_ONCE);
        const answers = await Promise.all(some.map((user, i) => ask(at(i), { 'x-user-id': user })));
        answers.forEach((answer, i) => {
          versions[from + i] = versionOf(answer);
        });
      }
      return USERS.filter((_, i) => versions[i] === 'new');
    };
    const below = (share: number) => USERS.filter((user) => bucketOf(ORDER.salt, user) < share);

    split(1000);
    const first = await ofCandidate((i) => (i % 2 === 0 ? stable : candidate));
    expect(first).toEqual(below(1000)); // those whom REST gives the candidate
    expect(first.length).toBeGreaterThan(60);
    expect(await ofCandidate((i) => (i % 2 === 1 ? stable : candidate))).toEqual(first);
    split(2500);
    const second = await ofCandidate(() => stable);
    expect(second).toEqual(below(2500));
    expect(first.filter((user) => !second.includes(user))).toEqual([]);
  });

  test('get the answer of their version as it is, which counts there and not here', async () => {
    const stable = await passing();
    const [here, there] = [answered(opened.old), answered(opened.new)];
    const { message, metadata } = await ask(stable, { 'x-user-id': 'alice', 'grpc-encoding': 'gzip' });
    expect(floatsOf(message)).toEqual([-1, -2]);
    expect(metadata.get(RESPONSE_HEADERS.digest)).toEqual([opened.new.model.identity.digest]);
    expect([answered(opened.old) - here, answered(opened.new) - there]).toEqual([0, 1]);
    expect(stable.sessions.counts()).toEqual({ forwarded: 1, failed: 0 });
  });

  test('get the refusal of their version as it is', async () => {
    const stable = await passing();
    const here = answered(opened.old);
    const wrong = { inputs: [{ name: 'z', datatype: 'FP32', shape: [1, 2] }] };
    const { code, details } = await refusalOf(ask(stable, { 'x-user-id': 'alice' }, wrong));
    expect([code, details]).toEqual([status.INVALID_ARGUMENT, expect.stringContaining('z')]);
    expect(answered(opened.old)).toBe(here);
  });

  test.each<[string, Record<string, string>, object]>([
    ['without the header', {}, {}],
    ['of what the other version passed on', { 'x-user-id': 'a', 'slipway-forwarded': 'r1-1' }, {}],
    ['of a preview', { 'x-user-id': 'a', 'slipway-preview': 'candidate' }, {}],
    ['that name a version', { 'x-user-id': 'a' }, { model_version: '1' }],
  ])('are answered where they arrive: calls %s', async (_, metadata, more) => {
    expect(versionOf(await ask(await passing(), metadata, more))).toBe('old');
  });

  test('have their answers from here while nobody listens there', async () => {
    const stable = await pod(opened.old, await freePort());
    stable.sessions.follow(ORDER);
    const answers = await Promise.all(Array.from({ length: 20 }, () => ask(stable)));
    expect(answers.map(versionOf)).toEqual(Array(20).fill('old'));
    expect(stable.sessions.counts()).toEqual({ forwarded: 0, failed: 20 });
  });

  test('have their answers from here when the other version dies with their questions', async () => {
    const other = await otherArm((stream) => stream.session?.destroy());
    const stable = await pod(opened.old, other.port);
    stable.sessions.follow(ORDER);
    expect(versionOf(await ask(stable))).toBe('old');
    expect(other.streams).toHaveLength(1);
  });

  test('are told so when the other version hangs, and it is not asked any longer', async () => {
    const other = await otherArm(() => undefined);
    let now = 0;
    const stable = await pod(opened.old, other.port, { elapsed: () => now });
    stable.sessions.follow(ORDER);
    const refused = refusalOf(ask(stable));
    await vi.waitUntil(() => other.streams.length === 1);
    now = 1e9;
    expect(await refused).toMatchObject({
      code: status.DEADLINE_EXCEEDED,
      details: 'The version that this user belongs to did not answer.',
    });
    await vi.waitUntil(() => other.streams[0]?.destroyed, { timeout: 5000 });
  });

  test('who go away leave nobody working for them', async () => {
    const other = await otherArm(() => undefined);
    const stable = await pod(opened.old, other.port);
    stable.sessions.follow(ORDER);
    const { code } = await refusalOf(
      stable.client.call('ModelInfer', pairRequest(1, 2), {
        metadata: { 'x-user-id': 'alice' },
        deadline: Date.now() + 200,
      }),
    );
    expect(code).toBe(status.DEADLINE_EXCEEDED);
    await vi.waitUntil(() => other.streams[0]?.destroyed, { timeout: 5000 });
  });
});

async function podAt(port: number, otherPort: number): Promise<Pod> {
  const sessions = new Sessions(() => performance.now(), otherPort);
  onTestFinished(() => sessions.close());
  const { address } = await serving([opened.new.model], { sessions }, port);
  return { sessions, port, client: new TestClient(address) };
}

async function listening(server: Http2Server): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

/** A port where nobody listens. */
async function freePort(): Promise<number> {
  const server = createServer();
  const port = await listening(server);
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** A gRPC server that does with each call as told, with what it saw. */
async function otherArm(take: (stream: ServerHttp2Stream) => void) {
  const streams: ServerHttp2Stream[] = [];
  const server = createServer();
  server.on('stream', (stream) => {
    streams.push(stream);
    stream.on('error', () => undefined).resume();
    take(stream);
  });
  const port = await listening(server);
  onTestFinished(() => {
    for (const { session } of streams) session?.destroy();
    server.close();
  });
  return { port, streams };
}

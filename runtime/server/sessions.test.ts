import { Agent, request } from 'node:http';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { fp32 } from '../onnx/builders.ts';
import { affine, modelArtifact, type TestArtifact } from '../test/artifacts.ts';
import { ADMIN, type ServerProcess, startServer } from '../test/serverProcess.ts';

/** x of [x, 0] becomes 2x + 0.5; the candidate adds 9 instead, so that an answer tells which version it is of. */
const newer = { ...affine, initializers: [fp32('w', [2, 1], [2, -3]), fp32('b', [1], [9])] };

interface Pod {
  readonly server: ServerProcess;
  readonly port: number;
}
let artifacts: { readonly old: TestArtifact; readonly new: TestArtifact };
let stable: readonly Pod[];
const agent = new Agent({ keepAlive: true, maxSockets: 16 });

async function start(artifact: TestArtifact, env: Readonly<Record<string, string>> = {}): Promise<Pod> {
  const server = await startServer(artifact, env);
  await server.logged('ready');
  return { server, port: Number((await server.logged('listening'))['rest']) };
}

beforeAll(async () => {
  artifacts = { old: await modelArtifact(affine), new: await modelArtifact(newer) };
  stable = await Promise.all([start(artifacts.old), start(artifacts.old)]);
}, 60_000);
afterAll(async () => {
  agent.destroy();
  for (const { server } of stable) await server.kill();
});

async function order({ server }: Pod, session: object | null): Promise<void> {
  const body = JSON.stringify({ session });
  const response = await server.fetch('admin', '/slipway/v1/evidence', { method: 'POST', headers: ADMIN, body });
  expect(response.status).toBe(200);
}

/** What the operator tells every pod of a service whose candidate gets `share` of 10000. */
async function split(pods: { readonly stable: readonly Pod[]; readonly candidate: Pod }, share: number): Promise<void> {
  const common = { id: `r1-${share}`, header: 'x-user-id', salt: 'r1', share, expiresInSeconds: 60 };
  const at = ({ port }: Pod) => `http://127.0.0.1:${port}`;
  for (const pod of pods.stable) await order(pod, { ...common, arm: 'stable', other: at(pods.candidate) });
  await order(pods.candidate, { ...common, arm: 'candidate', other: at(pods.stable[0] as Pod) });
}

const BODY = JSON.stringify({ inputs: [{ name: 'x', datatype: 'FP32', shape: [1, 2], data: [1, 0] }] });
type Version = 'stable' | 'candidate';

/** Which version answered, by its answer, which must be one of the two. */
const ask = ({ port }: Pod, user: string, over = agent): Promise<Version> =>
  new Promise((resolve, reject) => {
    const headers = { 'x-user-id': user };
    const options = { agent: over, port, host: '127.0.0.1', method: 'POST', path: '/v2/models/flights/infer', headers };
    const question = request(options, async (response) => {
      let text = '';
      for await (const chunk of response) text += chunk;
      const value = JSON.parse(text).outputs?.[0]?.data?.[0];
      if (value === 2.5 || value === 11) resolve(value === 2.5 ? 'stable' : 'candidate');
      else reject(new Error(`${response.statusCode}: ${text}`));
    });
    question.on('error', reject).end(BODY);
  });

const USERS = Array.from({ length: 2000 }, (_, i) => `user-${i}`);

async function candidatesOf(users: readonly string[], podOf: (i: number) => Pod): Promise<Set<string>> {
  const versions = await Promise.all(users.map((user, i) => ask(podOf(i), user)));
  return new Set(users.filter((_, i) => versions[i] === 'candidate'));
}

describe('users of a service in a rollout', () => {
  test('flagger#1647, flagger#1532: a 10 % canary keeps the same 10 % of users whatever pod they hit; at 25 % none of them leaves', async () => {
    const candidate = await start(artifacts.new);
    const pods = [...stable, candidate] as const;
    const at = (i: number) => pods[i % pods.length] as Pod;
    await split({ stable, candidate }, 1000);
    const first = await candidatesOf(USERS, at);
    expect(first.size).toBeGreaterThan(150);
    expect(first.size).toBeLessThan(250);
    const again = [...first, ...USERS.filter((user) => !first.has(user)).slice(0, 300)];
    for (const pod of pods) expect(await candidatesOf(again, () => pod)).toEqual(first);
    await split({ stable, candidate }, 2500);
    const second = await candidatesOf(USERS, (i) => at(i + 2));
    expect([...first].filter((user) => !second.has(user))).toEqual([]);
    expect(second.size).toBeGreaterThan(430); // 500 ± 3.6σ
    expect(second.size).toBeLessThan(570);
    const counted = await Promise.all(pods.map(({ server }) => server.evidence()));
    expect(counted.reduce((sum, { requests }) => sum + requests.ok, 0)).toBe(2 * USERS.length + 3 * again.length);
    expect(counted[2]?.requests.ok).toBe(4 * first.size + second.size);
    const metrics = await (await candidate.server.fetch('admin', '/metrics')).text();
    const passedOn = Number(/slipway_session_forwards_total{result="forwarded"} (\d+)/.exec(metrics)?.[1]);
    expect(passedOn).toBeGreaterThan(1000); // of the users that came to it, those of the stable version
    for (const pod of stable) await order(pod, null);
    await candidate.server.kill();
  }, 60_000);

  test('have their answers from the stable version once the candidate is dead, in the middle of their requests too', async () => {
    const candidate = await start(artifacts.new);
    await split({ stable, candidate }, 10_000);
    const pod = stable[0] as Pod;
    const asked = USERS.slice(0, 400).map((user) => ask(pod, user));
    expect(await asked[0]).toBe('candidate');
    candidate.server.child.kill('SIGKILL');
    const versions = await Promise.all(asked); // rejects on any answer that is none
    expect(versions).toContain('stable');
    expect(await Promise.all(USERS.slice(0, 50).map((user) => ask(pod, user)))).toEqual(Array(50).fill('stable'));
    for (const each of stable) await order(each, null);
  }, 60_000);

  test('lose nothing when a pod drains while it passes requests on, and when the one that gets them does', async () => {
    const [leaving, candidate] = await Promise.all([
      start(artifacts.old, { SLIPWAY_DRAIN_SECONDS: '1' }),
      start(artifacts.new, { SLIPWAY_DRAIN_SECONDS: '1' }),
    ]);
    await split({ stable: [leaving], candidate }, 10_000);
    const all = new Agent(); // a connection each: all of them are under way at once
    const asked = USERS.slice(0, 100).map((user) => ask(leaving, user, all));
    await Promise.race(asked);
    leaving.server.child.kill('SIGTERM');
    candidate.server.child.kill('SIGTERM');
    expect(await Promise.all(asked)).toContain('candidate');
    expect(await Promise.all([leaving, candidate].map(({ server }) => server.exitCode()))).toEqual([0, 0]);
  }, 60_000);

  test('are never passed on twice: pods that each take the other for theirs answer all the same', async () => {
    const [a, b] = stable as [Pod, Pod];
    const common = { id: 'loop', header: 'x-user-id', salt: 'r1', share: 10_000, arm: 'stable', expiresInSeconds: 60 };
    const before = (await Promise.all(stable.map(({ server }) => server.evidence()))).map(
      ({ requests }) => requests.ok,
    );
    await order(a, { ...common, other: `http://127.0.0.1:${b.port}` });
    await order(b, { ...common, other: `http://127.0.0.1:${a.port}` });
    for (let i = 0; i < 20; i++) expect(await ask(a, `user-${i}`)).toBe('stable');
    await order(a, { ...common, other: `http://127.0.0.1:${a.port}` }); // itself
    for (let i = 0; i < 20; i++) expect(await ask(a, `user-${i}`)).toBe('stable');
    const after = (await Promise.all(stable.map(({ server }) => server.evidence()))).map(({ requests }) => requests.ok);
    expect(after.map((ok, i) => ok - (before[i] as number))).toEqual([20, 20]);
    for (const pod of stable) await order(pod, null);
  });

  test('are answered where they arrive once the order has run out', async () => {
    const pod = stable[0] as Pod;
    const lost = { id: 'r2', header: 'x-user-id', salt: 'r1', share: 10_000, arm: 'stable', expiresInSeconds: 0.2 };
    const failed = async () =>
      Number(
        /slipway_session_forwards_total{result="failed"} (\d+)/.exec(
          await (await pod.server.fetch('admin', '/metrics')).text(),
        )?.[1],
      );
    await order(pod, { ...lost, other: 'http://127.0.0.1:9' });
    expect(await ask(pod, 'a')).toBe('stable');
    const tried = await failed();
    expect(tried).toBeGreaterThan(0);
    const until = Date.now() + 300;
    while (Date.now() < until) await ask(pod, 'a');
    const last = await failed();
    for (let i = 0; i < 10; i++) expect(await ask(pod, 'a')).toBe('stable');
    expect(await failed()).toBe(last);
  });
});

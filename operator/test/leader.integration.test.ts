import type {} from '@slipway/hack/local-cluster/vitestControlPlane.ts';
import { afterAll, afterEach, beforeAll, beforeEach, expect, inject, test, vi } from 'vitest';
import { endpointOf } from '../src/kube/config.ts';
import { type Connection, connect } from '../src/kube/connect.ts';
import { Election, type Lease, leases } from '../src/kube/lease.ts';
import { type Replica, startReplica } from './replicaProcess.ts';
import { surroundings } from './surroundings.ts';

const key = { namespace: 'default', name: 'slipway-operator' };
const WITHIN = { timeout: 30_000, interval: 20 };
const SHORT = { SLIPWAY_LEASE_MS: '3000', SLIPWAY_RENEW_MS: '2000', SLIPWAY_RETRY_MS: '500' };

let direct: Connection;
let replicas: Replica[] = [];

beforeAll(async () => {
  direct = await connect({ kubeconfig: inject('kubeconfig') });
});
afterAll(() => direct.close());
beforeEach(() => direct.client.delete(leases, key));
afterEach(async () => {
  for (const replica of replicas) replica.kill('SIGKILL');
  await Promise.all(replicas.map(({ ended }) => ended));
  replicas = [];
});

const lease = async (): Promise<Lease['spec']> => (await direct.client.get(leases, key))?.spec;
const holder = async (): Promise<string> => (await lease())?.holderIdentity?.split('_')[0] ?? '';

async function twoReplicas(env: Record<string, string> = {}): Promise<{ leader: Replica; standby: Replica }> {
  replicas = ['one', 'two'].map((name) => startReplica(name, inject('kubeconfig'), env));
  await vi.waitFor(
    () => expect(replicas.filter((r) => r.lines.some(({ msg }) => msg === 'started')).length).toBe(2),
    WITHIN,
  );
  await vi.waitFor(() => expect(replicas.some((r) => r.leads())).toBe(true), WITHIN);
  const [leader, standby] = replicas.toSorted((a, b) => Number(b.leads()) - Number(a.leads()));
  if (leader === undefined || standby === undefined) throw new Error('no two replicas');
  return { leader, standby };
}

/** Waits until the lease was renewed `times` more. */
async function renewals(times: number): Promise<void> {
  for (let i = 0; i < times; i++) {
    const before = (await lease())?.renewTime;
    await vi.waitFor(async () => expect((await lease())?.renewTime).not.toBe(before), WITHIN);
  }
}

test('of two replicas exactly one leads, and it stays so', async () => {
  const { leader, standby } = await twoReplicas(SHORT);
  await renewals(4);
  expect([leader.leads(), standby.leads(), await holder()]).toEqual([true, false, leader.name]);
  expect((await lease())?.leaseTransitions).toBe(0);
});

test('a killed leader is replaced within its lease', async () => {
  const { leader, standby } = await twoReplicas(SHORT);
  leader.kill('SIGKILL');
  const killed = Date.now();
  await vi.waitFor(() => expect(standby.leads()).toBe(true), WITHIN);
  const tookMs = Date.now() - killed;
  console.info(`hand-over after SIGKILL: ${tookMs} ms of a 3000 ms lease`);
  expect(tookMs).toBeLessThan(3_000 + 500); // the lease, and time for the calls on a busy machine
  expect(await holder()).toBe(standby.name);
});

test('SIGTERM releases the lease, and the other leads in less than two seconds', async () => {
  const { leader, standby } = await twoReplicas();
  leader.kill('SIGTERM');
  const asked = Date.now();
  await vi.waitFor(() => expect(standby.leads()).toBe(true), WITHIN);
  const tookMs = Date.now() - asked;
  console.info(`hand-over after SIGTERM: ${tookMs} ms`);
  expect(tookMs).toBeLessThan(2_000);
  expect(await leader.ended).toBe(0);
});

test('a leader frozen for longer than its lease ends when it wakes', async () => {
  const { leader, standby } = await twoReplicas(SHORT);
  leader.kill('SIGSTOP');
  await vi.waitFor(() => expect(standby.leads()).toBe(true), WITHIN);
  leader.kill('SIGCONT');
  expect(await leader.ended).toBe(1);
  expect(leader.lines.at(-1)).toMatchObject({ level: 'error', msg: 'ended' });
  expect(await holder()).toBe(standby.name);
});

test('of ten that start at once exactly one leads, and each release brings exactly one other', async () => {
  const around = surroundings(endpointOf(inject('kubeconfig')));
  const leading: string[] = [];
  const candidates = Array.from({ length: 10 }, (_, i) => {
    const identity = `candidate-${i}`;
    const times = { leaseMs: 15_000, renewMs: 10_000, retryMs: 2_000 };
    const election = new Election(around, { client: direct.client, key, identity, ...times });
    const stop = new AbortController();
    const done = election.acquire(stop.signal).then(() => leading.push(identity));
    return { identity, election, stop, done };
  });
  for (let released = 0; released < 9; released++) {
    await vi.waitFor(() => expect(leading.length).toBe(released + 1), WITHIN);
    const holding = candidates.filter(({ election }) => election.holds());
    expect(holding.map(({ identity }) => identity)).toEqual([leading.at(-1)]);
    await holding[0]?.election.release();
  }
  for (const { stop } of candidates) stop.abort();
  await Promise.all(candidates.map(({ done }) => done));
  await around.transport.close();
});

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ControlPlane, startControlPlane } from '@slipway/hack/local-cluster/controlPlane.ts';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { type ConfigMap, configMaps } from '../src/api/builtin.ts';
import { endpointOf } from '../src/kube/config.ts';
import { type Connection, connect } from '../src/kube/connect.ts';
import { Informer } from '../src/kube/informer.ts';
import { openFaultyProxy } from './faultyProxy.ts';
import { identitiesOf, Mirror } from './mirror.ts';
import { seeded } from './random.ts';
import { surroundings } from './surroundings.ts';

const WITHIN = { timeout: 30_000, interval: 50 };

let directory: string;
let plane: ControlPlane;
let direct: Connection;

// A server of its own: this one is killed.
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'slipway-informer-'));
  plane = await startControlPlane({ directory: join(directory, 'plane') });
  direct = await connect({ kubeconfig: plane.kubeconfig });
});
afterAll(async () => {
  await direct.close();
  await plane.stop();
  await rm(directory, { recursive: true, force: true });
});

const configMap = (name: string, text: string): ConfigMap => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { namespace: 'default', name },
  data: { text },
});
const put = (name: string, text: string): Promise<unknown> =>
  direct.client.apply(configMaps, configMap(name, text), { fieldManager: 'slipway-test' });
const remove = (name: string): Promise<void> => direct.client.delete(configMaps, { namespace: 'default', name });
const onServer = async () => identitiesOf(await direct.client.list(configMaps, undefined));

function follow(endpoint = endpointOf(plane.kubeconfig), options: { http2?: boolean; silenceMs?: number } = {}) {
  const around = surroundings(endpoint, { attemptMs: 3_000, ...options });
  const { silenceMs = 90_000 } = options;
  const informer = new Informer<ConfigMap>(around, { resource: configMaps, silenceMs });
  const mirror = new Mirror(informer);
  const stop = new AbortController();
  const running = informer.run(stop.signal);
  const equal = async (): Promise<void> => {
    await vi.waitFor(async () => expect(identitiesOf(informer.store.list())).toEqual(await onServer()), WITHIN);
    expect(identitiesOf(mirror.objects.values())).toEqual(await onServer());
    expect(mirror.faults).toEqual([]);
  };
  const close = async (): Promise<void> => {
    stop.abort();
    await running;
    await around.transport.close();
  };
  return { informer, mirror, equal, close };
}

test('the store follows a real server, deletions and recreations included', async () => {
  const followed = follow();
  await followed.informer.synced();
  await put('a', '1');
  await put('a', '2');
  await remove('a');
  await put('a', '3');
  await followed.equal();
  const told = followed.mirror.told.filter(({ object }) => object.metadata.name === 'a').map(({ type }) => type);
  expect(told).toEqual(['added', 'updated', 'deleted', 'added']);
  await followed.close();
});

test('a server killed with SIGKILL and started again is followed from where it was', async () => {
  const followed = follow();
  await followed.informer.synced();
  await put('before', '1');
  await plane.killApiServer();
  await plane.startApiServer();
  await put('after', '1');
  await remove('before');
  await followed.equal();
  await followed.close();
});

const SOAK_MS = 1_000 * Number(process.env['SLIPWAY_SOAK_SECONDS'] ?? 20);

test('random faults over creates, changes and deletes leaves the store equal to the server', {
  timeout: SOAK_MS + 120_000,
}, async () => {
  const seed = Number(process.env['SLIPWAY_SOAK_SEED'] ?? Math.floor(Math.random() * 2 ** 31));
  console.info(`soak: SLIPWAY_SOAK_SEED=${seed}`);
  const random = seeded(seed);
  const proxy = await openFaultyProxy(endpointOf(plane.kubeconfig), random);
  const followers = [true, false].map((http2) => follow(proxy.front.endpoint, { http2, silenceMs: 3_000 }));
  const end = Date.now() + SOAK_MS;
  const counts = { put: 0, removed: 0, failed: 0, storms: 0 };

  const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
  async function write(): Promise<void> {
    while (Date.now() < end) {
      const name = `soak-${Math.floor(random() * 60)}`;
      const removing = random() < 0.35;
      // A call that fails while the server is down may have happened or not: the server is the only truth.
      await (removing ? remove(name) : put(name, String(random()).repeat(20))).catch(() => (counts.failed += 1));
      counts[removing ? 'removed' : 'put'] += 1;
      await pause(random() * 30);
    }
  }
  const { relay } = proxy.front;
  const storms: readonly (() => Promise<void>)[] = [
    async () => relay.resetAll(),
    async () => relay.freezeAll(),
    async () => proxy.front.goAway(),
    async () => {
      relay.refuse(true);
      relay.resetAll();
      await pause(random() * 1_000);
      relay.refuse(false);
    },
  ];
  async function storm(): Promise<void> {
    while (Date.now() < end) {
      await pause(300 + random() * 2_500);
      await storms[Math.floor(random() * storms.length)]?.();
      counts.storms += 1;
    }
  }
  async function restart(): Promise<void> {
    await pause(SOAK_MS / 3);
    await plane.killApiServer();
    await pause(1_000);
    await plane.startApiServer();
  }
  await Promise.all([write(), storm(), restart()]);
  proxy.enabled = false;
  console.info('soak:', JSON.stringify({ ...counts, injected: proxy.injected }));
  for (const followed of followers) await followed.equal();
  // A soak in which little happened would show little.
  expect(counts.put).toBeGreaterThan(SOAK_MS / 200);
  expect(counts.storms).toBeGreaterThan(SOAK_MS / 3_000);
  expect(Object.values(proxy.injected).reduce((a, b) => a + b, 0)).toBeGreaterThan(SOAK_MS / 1_500);
  for (const followed of followers) await followed.close();
  await proxy.close();
});

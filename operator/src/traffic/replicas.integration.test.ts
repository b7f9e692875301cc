import type {} from '@slipway/hack/local-cluster/vitestControlPlane.ts';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { pods, services } from '../api/builtin.ts';
import { type Connection, connect } from '../kube/connect.ts';
import { keyOf } from '../kube/resource.ts';
import { trafficProviderContract } from './contract.suite.ts';
import type { TrafficSplit } from './provider.ts';
import { type ReplicasUnderTest, replicasUnderTest } from './testing/replicasUnderTest.ts';
import { NAMESPACE, runPods } from './testing/trafficWorld.ts';

const signal = new AbortController().signal;
let connection: Connection;

beforeAll(async () => {
  connection = await connect({ kubeconfig: inject('kubeconfig') });
});
afterAll(() => connection.close());

const make = (): Promise<ReplicasUnderTest> => replicasUnderTest(connection.client);
const STABLE: TrafficSplit = { backends: [{ revision: 'v1', weight: 10_000 }], routes: [] };
const SPLIT: TrafficSplit = {
  backends: [
    { revision: 'v1', weight: 7500 },
    { revision: 'v2', weight: 2500 },
  ],
  routes: [],
};

describe('numbers of pods behind one Service', () => {
  trafficProviderContract({ headers: false, refusals: false }, make);

  test('tells how many pods of each version take requests, and where to send them', async () => {
    const under = await make();
    await under.provider.apply(under.infs, SPLIT, signal);
    await under.accept();
    await under.caughtUp();
    expect(await under.provider.read(under.infs, signal)).toEqual({
      route: { state: 'Programmed', weights: { v1: 7500, v2: 2500 }, pods: { v1: 3, v2: 1 } },
      url: `http://${under.infs.metadata.name}.${NAMESPACE}.svc`,
    });
  });

  test('knative#13201: adds one Service, however many versions come and go', async () => {
    const under = await make();
    for (const split of [STABLE, SPLIT, STABLE]) {
      await under.provider.apply(under.infs, split, signal);
      await under.caughtUp();
    }
    const all = await connection.client.list(services, NAMESPACE);
    expect(all.filter(({ metadata }) => metadata.name.startsWith(under.infs.metadata.name))).toHaveLength(1);
  });

  test('a version that is replaced in mid-rollout gets nothing from the split of the next one', async () => {
    const under = await make();
    const [third] = await runPods(connection.client, under.infs, 'v0', 1);
    if (third === undefined) throw new Error('no pod');
    await under.caughtUp();
    await under.provider.apply(under.infs, SPLIT, signal);
    expect(await under.configured()).toEqual({ v1: 10_000 });
    await connection.client.delete(pods, keyOf(third));
    await under.caughtUp();
    await under.provider.apply(under.infs, SPLIT, signal);
    expect(await under.configured()).toEqual({ v1: 7500, v2: 2500 });
  });

  test('while a third version has pods, the one with the larger share keeps the requests', async () => {
    const under = await make();
    await runPods(connection.client, under.infs, 'v0', 1);
    await under.caughtUp();
    const late = SPLIT.backends.map(({ revision, weight }) => ({ revision, weight: 10_000 - weight }));
    await under.provider.apply(under.infs, { backends: late, routes: [] }, signal);
    expect(await under.configured()).toEqual({ v2: 10_000 });
  });

  test('a candidate is let in once its pods are its weight: not with what a gateway had sized it for', async () => {
    const under = await make();
    const splitAt = (weight: number): TrafficSplit => ({
      backends: [
        { revision: 'v1', weight: 10_000 - weight },
        { revision: 'v2', weight },
      ],
      routes: [],
    });
    await under.provider.apply(under.infs, splitAt(500), signal);
    expect(await under.configured()).toEqual({ v1: 10_000 });
    await under.caughtUp();
    await under.provider.apply(under.infs, splitAt(2500), signal);
    expect(await under.configured()).toEqual({ v1: 7500, v2: 2500 });
    // Once it is in, pods go before weights do: a moment in which it has more than its weight is no reason to let go.
    await under.caughtUp();
    await under.provider.apply(under.infs, splitAt(2000), signal);
    expect(await under.configured()).toEqual({ v1: 7500, v2: 2500 });
  });

  test('a selector that somebody narrowed by hand is put right', async () => {
    const under = await make();
    await under.provider.apply(under.infs, SPLIT, signal);
    const key = keyOf(under.infs);
    await connection.client.merge(services, key, { spec: { selector: { zone: 'a' } } });
    await under.caughtUp();
    await under.provider.apply(under.infs, SPLIT, signal);
    expect(await under.configured()).toEqual({ v1: 7500, v2: 2500 });
  });
});

import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findBinary } from '@slipway/hack/local-cluster/binaries/find.ts';
import { type BoundChild, startBound } from '@slipway/hack/local-cluster/boundChild.ts';
import { until } from '@slipway/hack/local-cluster/until.ts';
import type {} from '@slipway/hack/local-cluster/vitestControlPlane.ts';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { type Node, nodes, type Pod, pods } from '../api/builtin.ts';
import type { RouteFacts } from '../domain/rollout/world.ts';
import { type Connection, connect } from '../kube/connect.ts';
import type { TrafficSplit } from './provider.ts';
import { type ReplicasUnderTest, replicasUnderTest } from './testing/replicasUnderTest.ts';
import { NAMESPACE } from './testing/trafficWorld.ts';

/** The EndpointSlice controller of Kubernetes itself, and not our idea of it. */
const NODE = `node-${randomUUID().slice(0, 8)}`;
const signal = new AbortController().signal;
let connection: Connection;
let controller: BoundChild;
let folder: string;

beforeAll(async () => {
  const kubeconfig = inject('kubeconfig');
  folder = await mkdtemp(join(tmpdir(), 'endpoint-slices-'));
  connection = await connect({ kubeconfig });
  await connection.client.create(nodes, { apiVersion: 'v1', kind: 'Node', metadata: { name: NODE } } as Node);
  const args = ['--kubeconfig', kubeconfig, '--controllers=endpointslice-controller', '--leader-elect=false'];
  controller = startBound(
    await findBinary('kube-controller-manager', console.error),
    [...args, '--secure-port=0'],
    join(folder, 'log'),
  );
});
afterAll(async () => {
  await controller.end('SIGKILL');
  // Other files of this API server count its nodes.
  await connection.client.delete(nodes, { namespace: '', name: NODE });
  await connection.close();
  await rm(folder, { recursive: true, force: true });
});

const STABLE: TrafficSplit = { backends: [{ revision: 'v1', weight: 10_000 }], routes: [] };
const SPLIT: TrafficSplit = {
  backends: [
    { revision: 'v1', weight: 7500 },
    { revision: 'v2', weight: 2500 },
  ],
  routes: [],
};

const becomes = (under: ReplicasUnderTest, weights: Readonly<Record<string, number>>): Promise<RouteFacts> =>
  until(
    async () => {
      await under.caughtUp();
      const { route } = await under.provider.read(under.infs, signal);
      expect(route).toMatchObject({ state: 'Programmed' });
      expect(route.state === 'Programmed' && route.weights).toEqual(weights);
      return route;
    },
    { what: `waiting for ${JSON.stringify(weights)}`, timeoutMs: 60_000, everyMs: 20, hopeless: controller.exited },
  );

const splitTo = async (under: ReplicasUnderTest, split: TrafficSplit): Promise<void> => {
  await under.provider.apply(under.infs, split, signal);
};

test('Kubernetes takes a split, a rollback and a promotion as they are told', async () => {
  const under = await replicasUnderTest(connection.client, undefined, NODE);
  await splitTo(under, STABLE);
  await becomes(under, { v1: 10_000 });
  await splitTo(under, SPLIT);
  expect(await becomes(under, { v1: 7500, v2: 2500 })).toMatchObject({ pods: { v1: 3, v2: 1 } });
  await splitTo(under, STABLE);
  await becomes(under, { v1: 10_000 });
  await splitTo(under, { backends: [{ revision: 'v2', weight: 10_000 }], routes: [] });
  await becomes(under, { v2: 10_000 });
});

test('flagger#1934: a pod that stops being ready loses its requests without the operator', async () => {
  const under = await replicasUnderTest(connection.client, undefined, NODE);
  await splitTo(under, SPLIT);
  await becomes(under, { v1: 7500, v2: 2500 });
  const name = `${under.infs.metadata.name}-v1-0`;
  const conditions = [{ type: 'Ready', status: 'False' }];
  const status = { phase: 'Running', podIP: '10.244.9.9', podIPs: [{ ip: '10.244.9.9' }], conditions };
  const told = { apiVersion: 'v1', kind: 'Pod', metadata: { name, namespace: NAMESPACE }, status } as Pod;
  await connection.client.applyStatus(pods, told, { fieldManager: 'kubelet' });
  expect(await becomes(under, { v1: 6667, v2: 3333 })).toMatchObject({ pods: { v1: 2, v2: 1 } });
});

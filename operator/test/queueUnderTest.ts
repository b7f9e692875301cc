import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startControlPlane } from '@slipway/hack/local-cluster/controlPlane.ts';
import { installDefinitions } from '@slipway/hack/local-cluster/customResources.ts';
import { type Kueue, startKueue } from '@slipway/hack/local-cluster/kueue.ts';
import { repositoryRoot } from '@slipway/hack/local-cluster/paths.ts';
import { startScheduling } from '@slipway/hack/local-cluster/scheduling.ts';
import { storageClass, volume } from '@slipway/hack/local-cluster/volumesThere.ts';
import { nodes } from '../src/api/builtin.ts';
import type { Client } from '../src/kube/client.ts';
import { connect } from '../src/kube/connect.ts';
import { type Resource, resource } from '../src/kube/resource.ts';
import type { KubeObject } from '../src/kube/wire.ts';
import { gpuNode, H100 } from './gpuNodes.ts';

const log = (line: string): void => console.error(line);

/** What Kueue puts into the pods that it lets go: only these nodes have the label. */
export const FLAVOR = { 'cloud.example.com/pool': 'reserved' } as const;
const GPU = 'nvidia.com/gpu';

type Made = KubeObject & Record<string, unknown>;
const kueueKind = (kind: string, plural: string, namespaced = false): Resource<Made> =>
  resource<Made>('kueue.x-k8s.io', 'v1beta2', kind, plural, namespaced);

const flavors = kueueKind('ResourceFlavor', 'resourceflavors');
const clusterQueues = kueueKind('ClusterQueue', 'clusterqueues');
const localQueues = kueueKind('LocalQueue', 'localqueues', true);
const priorities = kueueKind('WorkloadPriorityClass', 'workloadpriorityclasses');
const volumes = resource<Made>('', 'v1', 'PersistentVolume', 'persistentvolumes', false);
const storageClasses = resource<Made>('storage.k8s.io', 'v1', 'StorageClass', 'storageclasses', false);

const STORAGE = 'there-already';
const VOLUMES = 24;
const NODES = 3;

export interface QueueUnderTest {
  readonly kubeconfig: string;
  readonly kueue: Kueue;
  /** A LocalQueue of the namespace, over a ClusterQueue of its own with so many GPUs. */
  addQueue(namespace: string, name: string, gpus: number): Promise<void>;
  /** More or fewer GPUs of that queue from now on. */
  setQuota(namespace: string, name: string, gpus: number): Promise<void>;
  stop(): Promise<void>;
}

/** The real Kueue, Job controller, garbage collector and scheduler over nodes that kwok keeps; pods end by SIGTERM. */
const CONTROLLERS = [
  'job-controller',
  'garbage-collector-controller',
  'persistentvolume-binder-controller',
  'node-lifecycle-controller',
];

const clusterQueue = (name: string, gpus: number) => ({
  apiVersion: 'kueue.x-k8s.io/v1beta2',
  kind: 'ClusterQueue',
  metadata: { name },
  spec: {
    namespaceSelector: {},
    preemption: { withinClusterQueue: 'LowerPriority' },
    resourceGroups: [
      {
        coveredResources: ['cpu', 'memory', GPU],
        flavors: [
          {
            name: 'reserved',
            resources: [
              { name: 'cpu', nominalQuota: '1000' },
              { name: 'memory', nominalQuota: '4Ti' },
              { name: GPU, nominalQuota: String(gpus) },
            ],
          },
        ],
      },
    ],
  },
});

/** Volumes that are there: what provisions them is no concern of a queue. */
async function addStorage(client: Client): Promise<void> {
  await client.create(storageClasses, storageClass(STORAGE));
  for (let index = 0; index < VOLUMES; index += 1) await client.create(volumes, volume(index, STORAGE));
}

async function addFlavor(client: Client): Promise<void> {
  const apiVersion = 'kueue.x-k8s.io/v1beta2';
  await client.create(flavors, {
    apiVersion,
    kind: 'ResourceFlavor',
    metadata: { name: 'reserved' },
    spec: { nodeLabels: { ...FLAVOR } },
  });
  await client.create(priorities, {
    apiVersion,
    kind: 'WorkloadPriorityClass',
    metadata: { name: 'urgent' },
    value: 1000,
    description: 'goes first',
  });
}

/** Room for all tests at once, so that only a quota is ever short, and as much that no flavor stands for. */
async function addNodes(client: Client): Promise<void> {
  for (let index = 0; index < NODES; index += 1) {
    await client.create(nodes, gpuNode({ ...H100, name: `reserved-${index}`, gpus: 64, labels: { ...FLAVOR } }));
    await client.create(nodes, gpuNode({ ...H100, name: `shared-${index}`, gpus: 64 }));
  }
}

/** A control plane of its own, as Kueue watches the whole cluster. */
export async function queueUnderTest(): Promise<QueueUnderTest> {
  const root = await mkdtemp(join(tmpdir(), 'slipway-kueue-'));
  const directory = join(root, 'plane');
  const plane = await startControlPlane({ directory });
  await installDefinitions(plane.access, join(repositoryRoot, 'crds'));
  const kueue = await startKueue({ plane, directory, log });
  const scheduling = await startScheduling({ plane, directory, controllers: CONTROLLERS, podsEnd: 'BySigterm', log });
  const { client, close } = await connect({ kubeconfig: plane.kubeconfig });
  await addStorage(client);
  await addFlavor(client);
  await addNodes(client);
  return {
    kubeconfig: plane.kubeconfig,
    kueue,
    addQueue: async (namespace, name, gpus) => {
      await client.create(clusterQueues, clusterQueue(`${namespace}-${name}`, gpus));
      await client.create(localQueues, {
        apiVersion: 'kueue.x-k8s.io/v1beta2',
        kind: 'LocalQueue',
        metadata: { name, namespace },
        spec: { clusterQueue: `${namespace}-${name}` },
      });
    },
    setQuota: async (namespace, name, gpus) => {
      const { spec } = clusterQueue(`${namespace}-${name}`, gpus);
      await client.merge(clusterQueues, { namespace: '', name: `${namespace}-${name}` }, { spec });
    },
    stop: async () => {
      await close();
      await kueue.stop();
      await scheduling.stop();
      await plane.stop();
      await rm(root, { recursive: true, force: true });
    },
  };
}

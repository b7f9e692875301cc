import { join } from 'node:path';
import { startControlPlane } from '@slipway/hack/local-cluster/controlPlane.ts';
import { installDefinitions } from '@slipway/hack/local-cluster/customResources.ts';
import { repositoryRoot } from '@slipway/hack/local-cluster/paths.ts';
import { startScheduling } from '@slipway/hack/local-cluster/scheduling.ts';
import { until } from '@slipway/hack/local-cluster/until.ts';
import { storageClass, volume } from '@slipway/hack/local-cluster/volumesThere.ts';
import { type Node, nodes, type Pod, pods } from '@slipway/operator/api/builtin.ts';
import type { Client } from '@slipway/operator/kube/client.ts';
import { connect } from '@slipway/operator/kube/connect.ts';
import { resource } from '@slipway/operator/kube/resource.ts';
import type { KubeObject } from '@slipway/operator/kube/wire.ts';
import { namespaces } from '../ground/namespaces.ts';
import { inLanes } from './inLanes.ts';

export const NAMESPACE = 'bench';
export const GPUS = 8;
export const FIELD_MANAGER = { fieldManager: 'slipway-bench' };
const STORAGE_CLASS = 'bench';
const WAIT_MS = 600_000;

type Made = KubeObject & Record<string, unknown>;
const volumes = resource<Made>('', 'v1', 'PersistentVolume', 'persistentvolumes', false);
const storageClasses = resource<Made>('storage.k8s.io', 'v1', 'StorageClass', 'storageclasses', false);

/** A control plane with the real scheduler and the real Job controller over nodes that kwok keeps. */
export interface Fleet {
  readonly client: Client;
  readonly kubeconfig: string;
  readonly directory: string;
  stop(): Promise<void>;
}

const node = (index: number): Node => {
  const room = { cpu: '64', memory: '512Gi', pods: '110', 'nvidia.com/gpu': String(GPUS) };
  const name = `gpu-${index}`;
  const labels = {
    'kubernetes.io/hostname': name,
    'nvidia.com/gpu.product': 'NVIDIA-H100-80GB-HBM3',
    'nvidia.com/gpu.memory': '81559',
  };
  return {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name, labels },
    status: { capacity: room, allocatable: room },
  };
};

const upTo = (n: number): number[] => Array.from({ length: n }, (_, i) => i);

export interface FleetSize {
  readonly nodes: number;
  readonly volumes: number;
}

export async function openFleet(directory: string, size: FleetSize): Promise<Fleet> {
  const plane = await startControlPlane({ directory });
  await installDefinitions(plane.access, join(repositoryRoot, 'crds'));
  const controllers = ['job-controller', 'persistentvolume-binder-controller', 'node-lifecycle-controller'];
  const scheduling = await startScheduling({
    plane,
    directory,
    controllers,
    log: (line) => console.error(`  ${line}`),
  });
  const { client, close } = await connect({ kubeconfig: plane.kubeconfig });
  await client.apply(namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: NAMESPACE } }, FIELD_MANAGER);
  await client.create(storageClasses, storageClass(STORAGE_CLASS));
  await inLanes(upTo(size.nodes), (index) => client.create(nodes, node(index)));
  await inLanes(upTo(size.volumes), (index) => client.create(volumes, volume(index, STORAGE_CLASS)));
  return {
    client,
    kubeconfig: plane.kubeconfig,
    directory,
    stop: async () => {
      await close();
      await scheduling.stop();
      await plane.stop();
    },
  };
}

const placedAt = ({ status }: Pod): number | undefined => {
  const condition = status?.conditions?.find(({ type, status: truth }) => type === 'PodScheduled' && truth === 'True');
  return condition?.lastTransitionTime === undefined ? undefined : Date.parse(condition.lastTransitionTime);
};

/**
 * When the last of so many pods got its node, by the server's own record, which counts whole seconds. Asked for seldom:
 * a list of a thousand pods is work for a server that shares two cores with all the rest.
 */
export async function allPlaced({ client }: Fleet, count: number): Promise<number> {
  return until(
    async () => {
      const times = (await client.list(pods, NAMESPACE)).flatMap((pod) => placedAt(pod) ?? []);
      return times.length >= count && Math.max(...times);
    },
    { what: `${count} pods to be placed`, timeoutMs: WAIT_MS, everyMs: 2000 },
  );
}

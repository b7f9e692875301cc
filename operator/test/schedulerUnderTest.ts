import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startControlPlane } from '@slipway/hack/local-cluster/controlPlane.ts';
import { startScheduling } from '@slipway/hack/local-cluster/scheduling.ts';
import { vi } from 'vitest';
import { type Node, nodes, type Pod, pods } from '../src/api/builtin.ts';
import { unschedulableMessage } from '../src/domain/workload/podWait.ts';
import type { Client } from '../src/kube/client.ts';
import { connect } from '../src/kube/connect.ts';
import type { Stored } from '../src/kube/wire.ts';

const log = (line: string): void => console.error(line);
const WITHIN = { timeout: 30_000, interval: 20 };

export interface SchedulerUnderTest {
  readonly client: Client;
  readonly kubeconfig: string;
  /** Creates nodes and waits until each is ready. */
  addNodes(list: readonly Node[]): Promise<void>;
  /** Creates a pod of the name and waits until the scheduler has placed it or said that it can't. */
  schedule(name: string, spec: NonNullable<Pod['spec']>, labels?: Record<string, string>): Promise<Stored<Pod>>;
  remove(pod: Stored<Pod>): Promise<void>;
  stop(): Promise<void>;
}

/** Every node begins with this taint, and its controller takes it away when it has heard of the node. */
const NOT_READY = 'node.kubernetes.io/not-ready';

const isReady = ({ spec, status }: Node): boolean =>
  (status?.conditions?.some(({ type, status: truth }) => type === 'Ready' && truth === 'True') ?? false) &&
  !spec?.taints?.some(({ key }) => key === NOT_READY);

/** Those of nodes, and of the claims that pods are given by templates. */
const CONTROLLERS = ['node-lifecycle-controller', 'resourceclaim-controller'];

/** The real scheduler over nodes that kwok keeps: a control plane of its own, as nodes belong to no namespace. */
export async function schedulerUnderTest(): Promise<SchedulerUnderTest> {
  const root = await mkdtemp(join(tmpdir(), 'slipway-scheduler-'));
  const directory = join(root, 'plane');
  const plane = await startControlPlane({ directory });
  const scheduling = await startScheduling({ plane, directory, controllers: CONTROLLERS, log });
  const { client, close } = await connect({ kubeconfig: plane.kubeconfig });
  return {
    client,
    kubeconfig: plane.kubeconfig,
    addNodes: async (list) => {
      for (const node of list) await client.create(nodes, node);
      await vi.waitFor(async () => {
        const ready = (await client.list(nodes, undefined)).filter(isReady);
        if (ready.length < list.length) throw new Error(`${ready.length} of ${list.length} nodes are ready`);
      }, WITHIN);
    },
    schedule: async (name, spec, labels = {}) => {
      const key = { namespace: 'default', name };
      await client.create(pods, { apiVersion: 'v1', kind: 'Pod', metadata: { ...key, labels }, spec });
      return vi.waitFor(async () => {
        const pod = await client.get(pods, key);
        if (pod === undefined) throw new Error(`there is no pod ${name}`);
        if (pod.spec?.nodeName === undefined && unschedulableMessage(pod) === undefined)
          throw new Error(`the scheduler has said nothing of ${name}`);
        return pod;
      }, WITHIN);
    },
    remove: async (pod) => {
      const key = { namespace: 'default', name: pod.metadata.name };
      await client.delete(pods, key);
      await vi.waitFor(async () => {
        if ((await client.get(pods, key)) !== undefined) throw new Error(`${key.name} is still there`);
      }, WITHIN);
    },
    stop: async () => {
      await close();
      await scheduling.stop();
      await plane.stop();
      await rm(root, { recursive: true, force: true });
    },
  };
}

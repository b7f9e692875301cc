import { type Node, nodes, type Pod, pods } from '../../api/builtin.ts';
import { deviceClasses } from '../../api/devices.ts';
import type { Cluster } from '../../domain/placement/explain.ts';
import { takenBy } from '../../domain/placement/podNeeds.ts';
import type { Amounts } from '../../domain/placement/quantity.ts';
import type { Client } from '../../kube/client.ts';
import type { Grant } from '../../kube/contracts.ts';
import { isNotFound } from '../../kube/errors.ts';

/** What looking at a cluster takes. Each may be withheld: then less is explained. */
export const clusterGrants: readonly Grant[] = [
  { resource: nodes, verbs: ['list'] },
  { resource: pods, verbs: ['list'] },
  { resource: deviceClasses, verbs: ['list'] },
];

const STAYS_FRESH_MS = 30_000;
const PODS_ON_NODES = 'spec.nodeName!=,status.phase!=Succeeded,status.phase!=Failed';

/** A node without what fills most of it: images and managed fields of hundreds would weigh on the operator's memory. */
const slim = ({ apiVersion, kind, metadata, spec, status }: Node): Node => ({
  apiVersion,
  kind,
  metadata: { name: metadata.name, labels: metadata.labels ?? {} },
  spec: { taints: spec?.taints ?? [], unschedulable: spec?.unschedulable ?? false },
  status: {
    capacity: status?.capacity ?? {},
    allocatable: status?.allocatable ?? status?.capacity ?? {},
    conditions: (status?.conditions ?? []).filter(({ type }) => type === 'Ready'),
  },
});

/** Reads at most twice a minute, and once for all that ask at the same time. */
function shared<T>(read: (signal: AbortSignal) => Promise<T>): (now: Date, signal: AbortSignal) => Promise<T> {
  let known: { readonly at: number; readonly value: Promise<T> } | undefined;
  return (now, signal) => {
    if (known === undefined || now.getTime() - known.at > STAYS_FRESH_MS) {
      const value = read(signal);
      const mine = { at: now.getTime(), value };
      known = mine;
      // A read that its asker gave up is no answer for the others; a refusal is, and is not asked for at each pass.
      value.catch(() => {
        if (known === mine && signal.aborted) known = undefined;
      });
    }
    return known.value;
  };
}

/**
 * The nodes of the cluster and what is taken of them, read on demand: both are wanted when an attempt starts or finds no
 * place, which is too seldom to watch every heartbeat of a big cluster.
 */
export class ClusterView {
  readonly #client: Client;
  readonly #nodes: (now: Date, signal: AbortSignal) => Promise<readonly Node[]>;
  readonly #taken: (now: Date, signal: AbortSignal) => Promise<ReadonlyMap<string, Amounts> | undefined>;

  constructor(client: Client) {
    this.#client = client;
    this.#nodes = shared(async (signal) => (await client.list(nodes, undefined, { signal })).map(slim));
    this.#taken = shared(async (signal) => {
      const list: readonly Pod[] = await client.list(pods, undefined, { signal, fieldSelector: PODS_ON_NODES });
      return takenBy(list);
    });
  }

  /** The nodes alone. None where they may not be listed, or can't be at the moment. */
  async look(now: Date, signal: AbortSignal): Promise<Cluster> {
    return { nodes: await this.#nodes(now, signal).catch(() => []) };
  }

  /** And what pods hold of them; `taken` is undefined without the right to list the pods of all namespaces. */
  async lookWithPods(now: Date, signal: AbortSignal): Promise<Cluster> {
    const [list, taken] = await Promise.all([
      this.#nodes(now, signal).catch(() => []),
      this.#taken(now, signal).catch(() => undefined),
    ]);
    return { nodes: list, taken };
  }

  /** What keeps accelerators from being claimed by that class, and what mends it; undefined: nothing that can be seen. */
  async claimTrouble(deviceClass: string, signal: AbortSignal): Promise<string | undefined> {
    try {
      const classes = await this.#client.list(deviceClasses, undefined, { signal });
      const names = classes.map(({ metadata }) => metadata.name).sort();
      if (names.includes(deviceClass)) return undefined;
      const there = names.length === 0 ? 'it has none' : `it has ${names.join(', ')}`;
      return `The cluster has no DeviceClass ${deviceClass} (${there}): install the device driver that brings it, or write accelerator.resource and leave accelerator.claim out.`;
    } catch (error) {
      if (!isNotFound(error)) return undefined;
      return `This cluster has no ResourceClaims (resource.k8s.io/v1 comes with Kubernetes 1.34): write accelerator.resource and leave accelerator.claim out.`;
    }
  }
}

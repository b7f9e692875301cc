import { type Node, nodes, type Pod, pods } from '../../api/builtin.ts';
import { deviceClasses, resourceClaims, resourceSlices } from '../../api/devices.ts';
import { devicesByNode } from '../../domain/placement/devices.ts';
import type { Cluster } from '../../domain/placement/explain.ts';
import { takenBy } from '../../domain/placement/podNeeds.ts';
import type { Client } from '../../kube/client.ts';
import type { Grant } from '../../kube/contracts.ts';
import { isNotFound } from '../../kube/errors.ts';

/** What looking at a cluster takes. Each may be withheld: then less is explained. */
export const clusterGrants: readonly Grant[] = [
  { resource: nodes, verbs: ['list'] },
  { resource: pods, verbs: ['list'] },
  { resource: deviceClasses, verbs: ['list'] },
  { resource: resourceSlices, verbs: ['list'] },
  { resource: resourceClaims, verbs: ['list'] },
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

type Shared<T> = (now: Date, signal: AbortSignal) => Promise<T>;

/** Reads at most twice a minute, and once for all that ask at the same time. */
function shared<T>(read: (signal: AbortSignal) => Promise<T>): Shared<T> {
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
  readonly #nodes: Shared<readonly Node[]>;
  readonly #taken: Shared<Cluster['taken']>;
  readonly #devices: Shared<Cluster['devices']>;

  constructor(client: Client) {
    this.#client = client;
    this.#nodes = shared(async (signal) => (await client.list(nodes, undefined, { signal })).map(slim));
    this.#taken = shared(async (signal) => {
      const list: readonly Pod[] = await client.list(pods, undefined, { signal, fieldSelector: PODS_ON_NODES });
      return takenBy(list);
    });
    this.#devices = shared(async (signal) => {
      const [slices, claims] = await Promise.all([
        client.list(resourceSlices, undefined, { signal }),
        client.list(resourceClaims, undefined, { signal }),
      ]);
      return devicesByNode(slices, claims);
    });
  }

  /** The nodes alone. `unseen` where they may not be listed, or can't be at the moment. */
  async look(now: Date, signal: AbortSignal): Promise<Cluster> {
    return this.#nodes(now, signal).then(
      (list) => ({ nodes: list }),
      () => ({ nodes: [], unseen: true }),
    );
  }

  /**
   * And what pods hold of them; `taken` is undefined without the right to list the pods of all namespaces. With
   * `devices` also those that can be claimed.
   */
  async lookWithPods(now: Date, signal: AbortSignal, devices = false): Promise<Cluster> {
    const [seen, taken, claimable] = await Promise.all([
      this.look(now, signal),
      this.#taken(now, signal).catch(() => undefined),
      devices ? this.#devices(now, signal).catch(() => undefined) : undefined,
    ]);
    return { ...seen, taken, devices: claimable };
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

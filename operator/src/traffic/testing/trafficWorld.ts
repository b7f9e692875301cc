import { randomUUID } from 'node:crypto';
import { inferenceServiceSpecSchema } from '@slipway/crds';
import { API_VERSION, LABELS } from '@slipway/crds/contract';
import { type Pod, pods } from '../../api/builtin.ts';
import { type InferenceService, inferenceServices } from '../../api/kinds.ts';
import type { Client } from '../../kube/client.ts';
import type { Store } from '../../kube/contracts.ts';
import { type Key, keyOf, keyText, type Resource } from '../../kube/resource.ts';
import type { KubeObject, Stored } from '../../kube/wire.ts';
import { predictorMeta, predictorNames } from '../../render/predictorChildren.ts';

export const NAMESPACE = 'default';
const OURS = `${LABELS.managedBy}=slipway,${LABELS.component}=predictor`;
const AS_NODE = { fieldManager: 'kubelet' };

/** A store that is as old as its last refresh, like an informer's, and sees what an informer's selector lets it see. */
export class Snapshot<T extends KubeObject> implements Store<T> {
  readonly #client: Client;
  readonly #resource: Resource<T>;
  readonly #options: { readonly labelSelector?: string };
  #objects = new Map<string, Stored<T>>();

  constructor(client: Client, resource: Resource<T>, of: 'ours' | 'all' = 'ours') {
    this.#client = client;
    this.#resource = resource;
    this.#options = of === 'ours' ? { labelSelector: OURS } : {};
  }
  async refresh(): Promise<void> {
    const scope = this.#resource.namespaced ? NAMESPACE : undefined;
    const all = await this.#client.list(this.#resource, scope, this.#options);
    this.#objects = new Map(all.map((object) => [keyText(keyOf(object)), object]));
  }
  get(key: Key): Stored<T> | undefined {
    return this.#objects.get(keyText(key));
  }
  list(): readonly Stored<T>[] {
    return [...this.#objects.values()];
  }
  by(): readonly Stored<T>[] {
    throw new Error('no index was declared');
  }
}

const WRITES = ['create', 'apply', 'merge', 'delete'];
const READS = ['get', 'list'];

export interface Counted {
  readonly client: Client;
  readonly writes: () => number;
  readonly reads: () => number;
}

/** A client that counts what goes through it. */
export function counting(client: Client): Counted {
  const calls: string[] = [];
  const counted = new Proxy(client, {
    get: (target, name, receiver) => {
      calls.push(String(name));
      const member: unknown = Reflect.get(target, name, receiver);
      return typeof member === 'function' ? member.bind(target) : member;
    },
  });
  const among = (names: readonly string[]) => () => calls.filter((name) => names.includes(name)).length;
  return { client: counted, writes: among(WRITES), reads: among(READS) };
}

/** A service of a name of its own, stored. */
export function makeService(client: Client, traffic: object = {}): Promise<Stored<InferenceService>> {
  const spec = inferenceServiceSpecSchema.parse({ model: { name: 'flights', version: '1.0.0' }, traffic });
  const metadata = { name: `s-${randomUUID().slice(0, 8)}`, namespace: NAMESPACE };
  return client.create(inferenceServices, { apiVersion: API_VERSION, kind: 'InferenceService', metadata, spec });
}

let nextIp = 1;

/** Pods of a revision as its Deployment and a node would have made them: ready, each with an address. `node`: on a node. */
export async function runPods(
  client: Client,
  infs: Stored<InferenceService>,
  revision: string,
  count: number,
  node?: string,
): Promise<readonly Stored<Pod>[]> {
  const { revision: named } = predictorNames(infs.metadata.name);
  const make = async (index: number): Promise<Stored<Pod>> => {
    const { ownerReferences: _, ...metadata } = predictorMeta(infs, `${named(revision)}-${index}`, revision);
    const containers = [{ name: 'server', image: 'example.com/runtime:1' }];
    const spec = { containers, ...(node === undefined ? {} : { nodeName: node }) };
    const { apiVersion, kind } = await client.create(pods, { apiVersion: 'v1', kind: 'Pod', metadata, spec });
    const conditions = [{ type: 'Ready', status: 'True' }];
    const ip = `10.244.1.${nextIp++}`;
    const status = { phase: 'Running', podIP: ip, podIPs: [{ ip }], conditions };
    const { name, namespace = '' } = metadata;
    return client.applyStatus(pods, { apiVersion, kind, metadata: { name, namespace }, status } as Pod, AS_NODE);
  };
  return Promise.all(Array.from({ length: count }, (_, index) => make(index)));
}

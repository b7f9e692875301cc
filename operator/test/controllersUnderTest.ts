import { randomUUID } from 'node:crypto';
import { expect, vi } from 'vitest';
import type { OperatorConfig } from '../src/config.ts';
import { parseConfig } from '../src/config.ts';
import type { Client } from '../src/kube/client.ts';
import { systemClock } from '../src/kube/clock.ts';
import { endpointOf } from '../src/kube/config.ts';
import { type Connection, connect } from '../src/kube/connect.ts';
import type { ControllerSpec } from '../src/kube/contracts.ts';
import { leases } from '../src/kube/lease.ts';
import { Manager } from '../src/kube/manager.ts';
import { type Resource, resource } from '../src/kube/resource.ts';
import type { KubeObject, Stored } from '../src/kube/wire.ts';
import { surroundings } from './surroundings.ts';

const WITHIN = { timeout: 20_000, interval: 25 };
/** A lease that a busy machine renews late would end the operator, and nothing here starts it again as a kubelet does. */
const PATIENT = { leaseMs: 120_000, renewMs: 110_000 } as const;
const namespaces = resource<KubeObject>('', 'v1', 'Namespace', 'namespaces', false);
const serviceAccounts = resource<KubeObject>('', 'v1', 'ServiceAccount', 'serviceaccounts');

export interface UnderTest {
  readonly client: Client;
  readonly namespace: string;
  readonly config: OperatorConfig;
  /** Waits until the object is there and holds what `expectation` says of it, and returns it. */
  until<T extends KubeObject>(
    resource: Resource<T>,
    name: string,
    expectation?: (object: Stored<T>) => void,
  ): Promise<Stored<T>>;
  untilGone(resource: Resource, name: string): Promise<void>;
  /** Ends the operator and starts another, which knows nothing but what the API server tells. */
  restart(): Promise<void>;
  /** Ends the operator while another stands by with warm caches, and waits until that one leads. */
  handOver(): Promise<void>;
  /** Ends the operator, acts, and starts another. */
  withoutOperator(act: () => Promise<void>): Promise<void>;
  stop(): Promise<void>;
}

interface Operator {
  readonly identity: string;
  ready(): boolean;
  stop(): Promise<void>;
}

/** Runs controllers against the real API server, as the operator does, in a namespace of their own that enforces Pod Security restricted. */
export async function runControllers(
  kubeconfig: string,
  make: (config: OperatorConfig) => readonly ControllerSpec[],
): Promise<UnderTest> {
  const connection: Connection = await connect({ kubeconfig });
  const { client } = connection;
  const namespace = `t-${randomUUID().slice(0, 8)}`;
  await client.create(namespaces, {
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: { name: namespace, labels: { 'pod-security.kubernetes.io/enforce': 'restricted' } },
  });
  const account = { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'default', namespace } };
  await client.apply(serviceAccounts, account, { fieldManager: 'test' });
  const around = surroundings(endpointOf(kubeconfig), { attemptMs: 10_000 });
  const config = parseConfig({ SLIPWAY_RUNTIME_IMAGE: 'example.com/runtime:1' });
  const start = (): Operator => {
    const identity = randomUUID();
    const election = { key: { namespace, name: 'operator' }, identity, ...PATIENT, retryMs: 100 };
    const controllers = make(config);
    const manager = new Manager({
      ...around,
      client,
      controllers,
      namespaces: [namespace],
      instance: identity,
      election,
      clock: systemClock,
    });
    const stopping = new AbortController();
    const running = manager.run(stopping.signal);
    return {
      identity,
      ready: () => manager.ready(),
      stop: () => {
        stopping.abort();
        return running;
      },
    };
  };
  const leads = ({ identity }: Operator): Promise<void> =>
    vi.waitFor(async () => {
      const lease = await client.get(leases, { namespace, name: 'operator' });
      expect(lease?.spec?.holderIdentity).toBe(identity);
    }, WITHIN);
  let operator = start();
  return {
    client,
    namespace,
    config,
    until: (kind, name, expectation = () => undefined) =>
      vi.waitFor(async () => {
        const object = await client.get(kind, { namespace, name });
        if (object === undefined) throw new Error(`there is no ${kind.kind} ${name}`);
        expectation(object);
        return object;
      }, WITHIN),
    untilGone: (kind, name) =>
      vi.waitFor(async () => {
        const object = await client.get(kind, { namespace, name });
        if (object !== undefined && object.metadata.deletionTimestamp === undefined)
          throw new Error(`${kind.kind} ${name} is still there`);
      }, WITHIN),
    restart: async () => {
      await operator.stop();
      operator = start();
      await leads(operator);
    },
    withoutOperator: async (act) => {
      await operator.stop();
      await act();
      operator = start();
      await leads(operator);
    },
    handOver: async () => {
      const next = start();
      await vi.waitFor(() => expect(next.ready()).toBe(true), WITHIN);
      await operator.stop();
      operator = next;
      await leads(operator);
    },
    stop: async () => {
      await operator.stop();
      await around.transport.close();
      await connection.close();
    },
  };
}

import { randomUUID } from 'node:crypto';
import { API_VERSION } from '@slipway/crds/contract';
import type {} from '@slipway/hack/local-cluster/vitestControlPlane.ts';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { installGatewayApi } from '../../test/gatewayApiDefinitions.ts';
import { type Gateway, gateways, type HTTPRoute, httpRoutes } from '../api/gateway.ts';
import { type InferenceService, inferenceServices } from '../api/kinds.ts';
import { rfc3339 } from '../kube/conditions.ts';
import { type Connection, connect } from '../kube/connect.ts';
import type { Store } from '../kube/contracts.ts';
import { type Key, keyOf, keyText, type Resource } from '../kube/resource.ts';
import type { KubeObject, Stored } from '../kube/wire.ts';
import { type ProviderUnderTest, trafficProviderContract } from './contract.suite.ts';
import { GatewayApiTraffic } from './gatewayApi.ts';

const NAMESPACE = 'default';
const signal = new AbortController().signal;
let connection: Connection;

beforeAll(async () => {
  await installGatewayApi(inject('kubeconfig'));
  connection = await connect({ kubeconfig: inject('kubeconfig') });
});
afterAll(() => connection.close());

/** A store that is as old as its last refresh, like an informer's. */
class Snapshot<T extends KubeObject> implements Store<T> {
  readonly #resource: Resource<T>;
  #objects = new Map<string, Stored<T>>();
  constructor(resource: Resource<T>) {
    this.#resource = resource;
  }
  async refresh(): Promise<void> {
    const all = await connection.client.list(this.#resource, NAMESPACE);
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

async function makeUnderTest(
  pathPrefix = '/',
): Promise<ProviderUnderTest & { readonly route: () => Promise<Stored<HTTPRoute> | undefined> }> {
  const { client } = connection;
  const name = `s-${randomUUID().slice(0, 8)}`;
  const [routes, known] = [new Snapshot<HTTPRoute>(httpRoutes), new Snapshot<Gateway>(gateways)];
  const infs = await client.create(inferenceServices, {
    apiVersion: API_VERSION,
    kind: 'InferenceService',
    metadata: { name, namespace: NAMESPACE },
    spec: { model: { name: 'flights', version: '1.0.0' }, traffic: { pathPrefix } } as InferenceService['spec'],
  });
  const gateway = { namespace: NAMESPACE, name: `gw-${name}` };
  await client.create(gateways, {
    apiVersion: 'gateway.networking.k8s.io/v1',
    kind: 'Gateway',
    metadata: gateway,
    spec: { gatewayClassName: 'test', listeners: [{ name: 'http', port: 80, protocol: 'HTTP' }] },
  });
  const caughtUp = async (): Promise<void> => {
    await Promise.all([routes.refresh(), known.refresh()]);
  };
  await caughtUp();
  const route = (): Promise<Stored<HTTPRoute> | undefined> => client.get(httpRoutes, keyOf(infs));
  const tell = async (accepted: boolean): Promise<void> => {
    const { generation = 0 } = (await route())?.metadata ?? {};
    const condition = (type: string, holds: boolean) => ({
      type,
      status: holds ? ('True' as const) : ('False' as const),
      reason: holds ? type : 'NotAllowedByListeners',
      message: 'as the gateway says',
      observedGeneration: generation,
      lastTransitionTime: rfc3339(new Date()),
    });
    const conditions = [condition('Accepted', accepted), condition('ResolvedRefs', true)];
    const parents = [
      { parentRef: { name: gateway.name, namespace: NAMESPACE }, controllerName: 'example.com/test', conditions },
    ];
    const told = {
      apiVersion: 'gateway.networking.k8s.io/v1',
      kind: 'HTTPRoute',
      metadata: { name, namespace: NAMESPACE },
      status: { parents },
    };
    await client.applyStatus(httpRoutes, told as unknown as HTTPRoute, { fieldManager: 'gateway' });
  };
  return {
    provider: new GatewayApiTraffic({
      client,
      routes,
      gateways: known,
      defaultGateway: gateway,
      watchNamespaces: [],
      fieldManager: 'slipway-inferenceservice',
    }),
    infs,
    route,
    caughtUp,
    accept: () => tell(true),
    refuse: () => tell(false),
    writes: async () => (await route())?.metadata.generation ?? 0,
    configured: async () => {
      const refs = (await route())?.spec.rules[0]?.backendRefs;
      return refs && Object.fromEntries(refs.map(({ name: to, weight }) => [to.slice(name.length + 1), weight]));
    },
  };
}

describe('the Gateway API', () => {
  trafficProviderContract(makeUnderTest);

  test('takes the path prefix away again when the spec no longer asks for it', async () => {
    const under = await makeUnderTest('/flights');
    const backends = [{ revision: 'v1', weight: 10_000 }];
    await under.provider.apply(under.infs, backends, signal);
    expect((await under.route())?.spec.rules[0]?.filters).toHaveLength(1);
    await under.caughtUp();
    const bare = { ...under.infs, spec: { ...under.infs.spec, traffic: { pathPrefix: '/' } } };
    await under.provider.apply(bare, backends, signal);
    expect((await under.route())?.spec.rules[0]?.filters).toBeUndefined();
  });

  test("leaves a person's own route of that name alone, and says so", async () => {
    const under = await makeUnderTest();
    const { name } = under.infs.metadata;
    await connection.client.create(httpRoutes, {
      apiVersion: 'gateway.networking.k8s.io/v1',
      kind: 'HTTPRoute',
      metadata: { name, namespace: NAMESPACE },
      spec: {
        parentRefs: [{ name: 'own' }],
        rules: [{ matches: [{ path: { type: 'PathPrefix', value: '/' } }], backendRefs: [] }],
      },
    });
    await under.provider.apply(under.infs, [{ revision: 'v1', weight: 10_000 }], signal);
    expect(await under.writes()).toBe(1);
    await under.caughtUp();
    expect(under.provider.read(under.infs).route).toMatchObject({ state: 'Refused', reason: 'NameTaken' });
  });
});

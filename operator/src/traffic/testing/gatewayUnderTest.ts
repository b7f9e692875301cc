import {
  type Gateway,
  type GatewayClass,
  gatewayClasses,
  gateways,
  type HTTPRoute,
  httpRoutes,
} from '../../api/gateway.ts';
import type { Client } from '../../kube/client.ts';
import { rfc3339 } from '../../kube/conditions.ts';
import { type Key, keyOf } from '../../kube/resource.ts';
import type { Stored } from '../../kube/wire.ts';
import { splitOf } from '../../render/route.ts';
import type { ProviderUnderTest } from '../contract.suite.ts';
import { GatewayApiTraffic } from '../gatewayApi.ts';
import { counting, makeService, NAMESPACE, Snapshot } from './trafficWorld.ts';

const API = 'gateway.networking.k8s.io/v1';

export interface GatewayUnderTest extends ProviderUnderTest {
  readonly provider: GatewayApiTraffic;
  readonly makeGateway: () => Promise<void>;
  readonly route: () => Promise<Stored<HTTPRoute> | undefined>;
}

export interface GatewayOptions {
  readonly traffic?: object;
  /** Class of the gateway, with the features it tells of; undefined: it keeps silent. */
  readonly features?: readonly string[];
  /** Whether there is no Gateway yet. */
  readonly missing?: boolean;
  /** Whether neither the service nor the operator names a Gateway. */
  readonly unnamed?: boolean;
}

async function makeGateway(client: Client, gateway: Key, features: readonly string[] | undefined): Promise<void> {
  const gatewayClassName = `class-of-${gateway.name}`;
  await client.create(gatewayClasses, {
    apiVersion: API,
    kind: 'GatewayClass',
    metadata: { name: gatewayClassName },
    spec: { controllerName: 'example.com/test' },
  });
  if (features !== undefined) {
    const supportedFeatures = features.toSorted().map((name) => ({ name }));
    const told = { apiVersion: API, kind: 'GatewayClass', metadata: { name: gatewayClassName } };
    await client.applyStatus(gatewayClasses, { ...told, status: { supportedFeatures } } as unknown as GatewayClass, {
      fieldManager: 'gateway',
    });
  }
  const listeners = [{ name: 'http', port: 80, protocol: 'HTTP' }];
  await client.create(gateways, {
    apiVersion: API,
    kind: 'Gateway',
    metadata: gateway,
    spec: { gatewayClassName, listeners },
  });
}

/** What a gateway's controller writes about a route. */
async function tell(client: Client, route: Stored<HTTPRoute> | undefined, accepts: boolean): Promise<void> {
  if (route === undefined) throw new Error('there is no route to speak about');
  const condition = (type: string, holds: boolean) => ({
    type,
    status: holds ? ('True' as const) : ('False' as const),
    reason: holds ? type : 'NotAllowedByListeners',
    message: 'as the gateway says',
    observedGeneration: route.metadata.generation ?? 0,
    lastTransitionTime: rfc3339(new Date()),
  });
  const conditions = [condition('Accepted', accepts), condition('ResolvedRefs', true)];
  const { apiVersion, kind, metadata } = route;
  const parents = route.spec.parentRefs.map((parentRef) => ({
    parentRef,
    controllerName: 'example.com/test',
    conditions,
  }));
  const named = { name: metadata.name, namespace: metadata.namespace ?? '' };
  const told = { apiVersion, kind, metadata: named, status: { parents } };
  await client.applyStatus(httpRoutes, told as unknown as HTTPRoute, { fieldManager: 'gateway' });
}

/** The Gateway API provider over a real API server; the gateway's controller is played by hand. */
export async function gatewayUnderTest(real: Client, options: GatewayOptions = {}): Promise<GatewayUnderTest> {
  const { client, writes, reads } = counting(real);
  const infs = await makeService(real, options.traffic);
  const gateway = { namespace: NAMESPACE, name: `gw-${infs.metadata.name}` };
  if (options.missing !== true) await makeGateway(real, gateway, options.features);
  const routes = new Snapshot(real, httpRoutes);
  const known = new Snapshot<Gateway>(real, gateways, 'all');
  const classes = new Snapshot<GatewayClass>(real, gatewayClasses, 'all');
  const caughtUp = async (): Promise<void> => {
    await Promise.all([routes.refresh(), known.refresh(), classes.refresh()]);
  };
  await caughtUp();
  const route = (): Promise<Stored<HTTPRoute> | undefined> => real.get(httpRoutes, keyOf(infs));
  const split = async () => {
    const found = await route();
    return found && splitOf(found);
  };
  const operator = (): GatewayApiTraffic =>
    new GatewayApiTraffic({
      client,
      routes,
      gateways: known,
      classes,
      defaultGateway: options.unnamed === true ? undefined : gateway,
      watchNamespaces: [],
      fieldManager: 'slipway-inferenceservice',
    });
  return {
    provider: operator(),
    successor: operator,
    reads,
    vanish: () => real.delete(httpRoutes, keyOf(infs)),
    infs,
    makeGateway: () => makeGateway(real, gateway, options.features),
    route,
    caughtUp,
    writes,
    accept: async () => tell(real, await route(), true),
    refuse: async () => tell(real, await route(), false),
    configured: async () => {
      const found = await split();
      return found && Object.fromEntries(found.backends.map(({ revision, weight }) => [revision, weight]));
    },
    configuredRoutes: async () => (await split())?.routes ?? [],
    foreign: async () => {
      const own = await real.create(httpRoutes, {
        apiVersion: API,
        kind: 'HTTPRoute',
        metadata: { name: infs.metadata.name, namespace: NAMESPACE },
        spec: {
          parentRefs: [{ name: 'own' }],
          rules: [{ matches: [{ path: { type: 'PathPrefix', value: '/' } }], backendRefs: [] }],
        },
      });
      return async () => (await route())?.metadata.resourceVersion === own.metadata.resourceVersion;
    },
  };
}

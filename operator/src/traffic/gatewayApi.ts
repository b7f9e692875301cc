import { type Gateway, type HTTPRoute, httpRoutes } from '../api/gateway.ts';
import type { InferenceService } from '../api/kinds.ts';
import type { Client } from '../kube/client.ts';
import type { Store } from '../kube/contracts.ts';
import { type Key, keyOf } from '../kube/resource.ts';
import type { Stored } from '../kube/wire.ts';
import { isAsApplied, stamped } from '../render/applied.ts';
import { httpRoute } from '../render/route.ts';
import type { TrafficProvider, TrafficSplit, TrafficState } from './provider.ts';
import { routeFacts, urlOf } from './routeFacts.ts';

export interface GatewayApiOptions {
  readonly client: Client;
  readonly routes: Store<HTTPRoute>;
  readonly gateways: Store<Gateway>;
  /** Gateway of services that name none. */
  readonly defaultGateway: Key | undefined;
  /** Namespaces the operator watches; empty: all. A Gateway elsewhere can't be seen, and only the route tells of it. */
  readonly watchNamespaces: readonly string[];
  readonly fieldManager: string;
}

/** The Gateway that a service's route attaches to: its own choice, in its own namespace unless it names another. */
export const gatewayOf = ({ metadata, spec }: InferenceService, byDefault: Key | undefined): Key | undefined => {
  const { gateway } = spec.traffic;
  return gateway === undefined
    ? byDefault
    : { namespace: gateway.namespace ?? metadata.namespace ?? '', name: gateway.name };
};

const owns = (infs: Stored<InferenceService>, route: HTTPRoute): boolean =>
  route.metadata.ownerReferences?.some(({ uid }) => uid === infs.metadata.uid) ?? false;

/** Weighted backends of one HTTPRoute a service: works with every implementation of the Gateway API's core features. */
export class GatewayApiTraffic implements TrafficProvider {
  readonly #options: GatewayApiOptions;

  constructor(options: GatewayApiOptions) {
    this.#options = options;
  }

  read(infs: Stored<InferenceService>): TrafficState {
    const { hostnames = [], pathPrefix } = infs.spec.traffic;
    const key = gatewayOf(infs, this.#options.defaultGateway);
    const gateway = key && this.#options.gateways.get(key);
    const route = this.#options.routes.get(keyOf(infs));
    if (route !== undefined && !owns(infs, route)) return { route: taken(route) };
    const url = urlOf(gateway, hostnames, pathPrefix);
    return {
      route: routeFacts(key, this.#sees(key) ? (gateway ?? 'Missing') : 'Unseen', route),
      ...(url === undefined ? {} : { url }),
    };
  }

  async apply(infs: Stored<InferenceService>, { backends }: TrafficSplit, signal: AbortSignal): Promise<void> {
    const gateway = gatewayOf(infs, this.#options.defaultGateway);
    // Without a backend there is nothing to route to, and without a gateway nowhere: read() has said so.
    if (gateway === undefined || backends.length === 0) return;
    const wanted = stamped(httpRoute(infs, gateway, backends));
    const found = this.#options.routes.get(keyOf(infs)) ?? (await this.#foreign(infs, signal));
    if ((found !== undefined && !owns(infs, found)) || isAsApplied(found, wanted)) return;
    await this.#options.client.apply(httpRoutes, wanted, { fieldManager: this.#options.fieldManager, signal });
  }

  #sees(gateway: Key | undefined): boolean {
    const { watchNamespaces } = this.#options;
    return watchNamespaces.length === 0 || watchNamespaces.includes(gateway?.namespace ?? '');
  }

  /** Before the first write only: a route of that name that is not in our cache may be a person's own. */
  #foreign(infs: Stored<InferenceService>, signal: AbortSignal): Promise<Stored<HTTPRoute> | undefined> {
    return this.#options.client.get(httpRoutes, keyOf(infs), { signal });
  }
}

const taken = ({ metadata: { name } }: HTTPRoute): TrafficState['route'] => ({
  state: 'Refused',
  reason: 'NameTaken',
  message: `HTTPRoute ${name} exists and does not belong to this InferenceService: rename or delete it.`,
});

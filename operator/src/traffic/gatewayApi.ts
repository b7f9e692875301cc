import { type Gateway, type GatewayClass, type HTTPRoute, httpRoutes } from '../api/gateway.ts';
import type { InferenceService } from '../api/kinds.ts';
import type { Client } from '../kube/client.ts';
import type { Store } from '../kube/contracts.ts';
import { type Key, keyOf } from '../kube/resource.ts';
import type { Stored } from '../kube/wire.ts';
import { isAsApplied, stamped } from '../render/applied.ts';
import { httpRoute, type RouteShape, shapeOf } from '../render/route.ts';
import { canNameRules, featureFindings } from './gatewayFeatures.ts';
import { OwnObject } from './ownObject.ts';
import type { MovableTraffic, TrafficSplit, TrafficState } from './provider.ts';
import { type GatewayView, gatewayFault, NO_GATEWAY, routeFacts, urlOf } from './routeFacts.ts';

export interface GatewayApiOptions {
  readonly client: Client;
  readonly routes: Store<HTTPRoute>;
  readonly gateways: Store<Gateway>;
  readonly classes: Store<GatewayClass>;
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

/** Weighted backends of one HTTPRoute a service: works with every implementation of the Gateway API's core features. */
export class GatewayApiTraffic implements MovableTraffic {
  readonly #options: GatewayApiOptions;
  readonly #route: OwnObject<HTTPRoute>;

  constructor(options: GatewayApiOptions) {
    const { client, routes, fieldManager } = options;
    this.#options = options;
    this.#route = new OwnObject({ client, resource: httpRoutes, store: routes, fieldManager });
  }

  async read(infs: Stored<InferenceService>, signal: AbortSignal): Promise<TrafficState> {
    await this.#route.look(infs, keyOf(infs), signal);
    const route = this.holds(infs);
    const taken = route === undefined ? this.#route.taken(infs, keyOf(infs)) : undefined;
    if (taken !== undefined) return { route: taken };
    const view = this.#view(infs);
    if (view === undefined) return { route: NO_GATEWAY };
    const { hostnames = [], pathPrefix } = infs.spec.traffic;
    const url = typeof view.gateway === 'string' ? undefined : urlOf(view.gateway, hostnames, pathPrefix);
    return { route: routeFacts(view, { pathPrefix }, route), ...(url === undefined ? {} : { url }) };
  }

  async apply(infs: Stored<InferenceService>, split: TrafficSplit, signal: AbortSignal): Promise<void> {
    // Without a backend there is nothing to route to.
    if (split.backends.length === 0) return;
    const found = this.holds(infs);
    const shape = this.#shape(infs, found);
    if (shape === undefined) return;
    const wanted = stamped(httpRoute(infs, shape, split));
    if (!isAsApplied(found, wanted)) await this.#route.write(infs, keyOf(infs), wanted, signal);
  }

  holds(infs: Stored<InferenceService>): Stored<HTTPRoute> | undefined {
    return this.#route.current(infs, keyOf(infs));
  }

  remove(infs: Stored<InferenceService>, signal: AbortSignal): Promise<void> {
    return this.#route.remove(infs, keyOf(infs), signal);
  }

  forget(service: Key): void {
    this.#route.forget(service);
  }

  /**
   * The route's parents, hosts and path as the spec asks for them. Where these can't work they stay what they are in the
   * route there is: traffic stays where it was, and weights can still be changed, to roll back above all. undefined:
   * there is nowhere to route, and read() has said so.
   */
  #shape(infs: Stored<InferenceService>, own: HTTPRoute | undefined): RouteShape | undefined {
    const present = own && shapeOf(own);
    const { provider, hostnames = [], pathPrefix } = infs.spec.traffic;
    const view = this.#view(infs);
    if (view === undefined || (provider !== 'Gateway' && own !== undefined)) return present;
    const wanted: RouteShape = {
      parents: [{ name: view.key.name, namespace: view.key.namespace }],
      hostnames,
      pathPrefix,
      named: canNameRules(view.gatewayClass),
    };
    const works = gatewayFault(view) === undefined && featureFindings(wanted, view.gatewayClass).refusal === undefined;
    return works ? wanted : present;
  }

  #view(infs: InferenceService): GatewayView | undefined {
    const { gateways, classes, defaultGateway } = this.#options;
    const key = gatewayOf(infs, defaultGateway);
    if (key === undefined) return undefined;
    if (!this.#sees(key)) return { key, gateway: 'Unseen', gatewayClass: undefined };
    const gateway = gateways.get(key);
    if (gateway === undefined) return { key, gateway: 'Missing', gatewayClass: undefined };
    const gatewayClass = classes.get({ namespace: '', name: gateway.spec.gatewayClassName });
    return { key, gateway, gatewayClass };
  }

  #sees({ namespace }: Key): boolean {
    const { watchNamespaces } = this.#options;
    return watchNamespaces.length === 0 || watchNamespaces.includes(namespace);
  }
}

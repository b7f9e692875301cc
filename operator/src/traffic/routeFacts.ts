import type { Gateway, GatewayCondition, HTTPRoute, ParentReference } from '../api/gateway.ts';
import type { RouteFacts } from '../domain/rollout/world.ts';
import { type Key, keyText } from '../kube/resource.ts';

const isParent = (ref: ParentReference, gateway: Key, namespace: string | undefined): boolean =>
  (ref.kind ?? 'Gateway') === 'Gateway' &&
  ref.name === gateway.name &&
  (ref.namespace ?? namespace) === gateway.namespace;

const refused = (reason: string, message: string): RouteFacts => ({ state: 'Refused', reason, message });

const find = (conditions: readonly GatewayCondition[], type: string): GatewayCondition | undefined =>
  conditions.find((c) => c.type === type);

/** What must be True, and what must not, before a parent does what the route says. */
function conditionsFault(conditions: readonly GatewayCondition[], gateway: Key): RouteFacts | undefined {
  const bad = [find(conditions, 'Accepted'), find(conditions, 'ResolvedRefs')].find((c) => c?.status === 'False');
  const partial = find(conditions, 'PartiallyInvalid');
  const fault = bad ?? (partial?.status === 'True' ? partial : undefined);
  return (
    fault &&
    refused('RouteNotAccepted', `Gateway ${keyText(gateway)} refuses the route (${fault.reason}): ${fault.message}`)
  );
}

const isCurrent = (conditions: readonly GatewayCondition[], generation: number): boolean =>
  ['Accepted', 'ResolvedRefs'].every((type) => {
    const condition = find(conditions, type);
    return condition?.status === 'True' && (condition.observedGeneration ?? 0) >= generation;
  });

const weightsOf = (route: HTTPRoute, service: string): Record<string, number> =>
  Object.fromEntries(
    route.spec.rules
      .flatMap(({ backendRefs }) => backendRefs)
      .map(({ name, weight }) => [name.slice(service.length + 1), weight]),
  );

function ofParent(route: HTTPRoute, gateway: Key): RouteFacts {
  const { generation = 0, namespace } = route.metadata;
  const parent = route.status?.parents.find(({ parentRef }) => isParent(parentRef, gateway, namespace));
  const conditions = parent?.conditions ?? [];
  const told = conditions.every((c) => (c.observedGeneration ?? 0) >= generation);
  const fault = told ? conditionsFault(conditions, gateway) : undefined;
  if (fault !== undefined) return fault;
  return isCurrent(conditions, generation)
    ? { state: 'Programmed', weights: weightsOf(route, route.metadata.name) }
    : { state: 'Pending' };
}

/** A fault of the Gateway itself, whatever the route says. */
function gatewayFault(key: Key, gateway: Gateway | 'Missing' | 'Unseen'): RouteFacts | undefined {
  if (gateway === 'Unseen') return undefined;
  if (gateway === 'Missing') return refused('GatewayNotFound', `There is no Gateway ${keyText(key)}.`);
  const accepted = find(gateway.status?.conditions ?? [], 'Accepted');
  return accepted?.status === 'False'
    ? refused('GatewayNotAccepted', `Gateway ${keyText(key)} is not accepted (${accepted.reason}): ${accepted.message}`)
    : undefined;
}

/** What the gateway made of the route of a service, from the status of both. */
export function routeFacts(
  key: Key | undefined,
  gateway: Gateway | 'Missing' | 'Unseen',
  route: HTTPRoute | undefined,
): RouteFacts {
  if (key === undefined) {
    return refused(
      'GatewayNotNamed',
      'No Gateway is named: set spec.traffic.gateway, or a default Gateway for the operator.',
    );
  }
  return gatewayFault(key, gateway) ?? (route === undefined ? { state: 'Absent' } : ofParent(route, key));
}

/** Address of the gateway's first listener that speaks HTTP, with the host and path of the route. */
export function urlOf(
  gateway: Gateway | undefined,
  hostnames: readonly string[],
  pathPrefix: string,
): string | undefined {
  const listener = gateway?.spec.listeners.find(({ protocol }) => protocol === 'HTTP' || protocol === 'HTTPS');
  const host = hostnames.find((name) => !name.startsWith('*')) ?? gateway?.status?.addresses?.[0]?.value;
  if (listener === undefined || host === undefined) return undefined;
  const scheme = listener.protocol.toLowerCase();
  const port = listener.port === (scheme === 'http' ? 80 : 443) ? '' : `:${listener.port}`;
  return `${scheme}://${host.includes(':') ? `[${host}]` : host}${port}${pathPrefix === '/' ? '' : pathPrefix}`;
}

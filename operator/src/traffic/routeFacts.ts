import type { Gateway, GatewayClass, GatewayCondition, HTTPRoute, ParentReference } from '../api/gateway.ts';
import type { RouteFacts } from '../domain/rollout/world.ts';
import { type Key, keyText } from '../kube/resource.ts';
import { type RouteShape, splitOf } from '../render/route.ts';
import { type FeatureFindings, featureFindings } from './gatewayFeatures.ts';

/** A Gateway as our caches show it. Unseen: in a namespace that is not watched. */
export interface GatewayView {
  readonly key: Key;
  readonly gateway: Gateway | 'Missing' | 'Unseen';
  /** undefined: there is none of that name, or the Gateway itself is not seen. */
  readonly gatewayClass: GatewayClass | undefined;
}

const isParent = (ref: ParentReference, gateway: Key, namespace: string | undefined): boolean =>
  (ref.kind ?? 'Gateway') === 'Gateway' &&
  ref.name === gateway.name &&
  (ref.namespace ?? namespace) === gateway.namespace;

type Refusal = Extract<RouteFacts, { state: 'Refused' }>;
const refused = (reason: string, message: string): Refusal => ({ state: 'Refused', reason, message });

const find = (conditions: readonly GatewayCondition[], type: string): GatewayCondition | undefined =>
  conditions.find((c) => c.type === type);

/** What to write for the reasons that the Gateway API names. The gateway's own sentence stands before it. */
const MENDS: Readonly<Record<string, string>> = {
  NotAllowedByListeners: 'allow this namespace in allowedRoutes of one of its listeners, or name another Gateway',
  NoMatchingListenerHostname: 'write in spec.traffic.hostnames a host of one of its listeners',
  NoMatchingParent: 'give it a listener for HTTP, or name another Gateway',
  RefNotPermitted: 'name a Gateway that may use Services of this namespace',
};

const routeRefusal = (key: Key, { reason, message }: GatewayCondition): Refusal => {
  const mend = MENDS[reason];
  const sentence = mend === undefined ? message : `${message.replace(/\.$/, '')}: ${mend}.`;
  return refused('RouteNotAccepted', `Gateway ${keyText(key)} refuses the route (${reason}): ${sentence}`);
};

/** What must be True, and what must not, before a parent does what the route says. */
function conditionsFault(conditions: readonly GatewayCondition[], key: Key): Refusal | undefined {
  const bad = [find(conditions, 'Accepted'), find(conditions, 'ResolvedRefs')].find((c) => c?.status === 'False');
  const partial = find(conditions, 'PartiallyInvalid');
  const fault = bad ?? (partial?.status === 'True' ? partial : undefined);
  return fault && routeRefusal(key, fault);
}

const isCurrent = (conditions: readonly GatewayCondition[], generation: number): boolean =>
  ['Accepted', 'ResolvedRefs'].every((type) => {
    const condition = find(conditions, type);
    return condition?.status === 'True' && (condition.observedGeneration ?? 0) >= generation;
  });

function programmed(route: HTTPRoute): RouteFacts {
  const { backends, routes } = splitOf(route);
  return {
    state: 'Programmed',
    weights: Object.fromEntries(backends.map(({ revision, weight }) => [revision, weight])),
    routes,
  };
}

/** Each entry about our Gateway counts, of whatever listener and controller: one that lags is traffic that lags. */
function ofParents(route: HTTPRoute, key: Key): RouteFacts {
  const { generation = 0, namespace } = route.metadata;
  const parents = (route.status?.parents ?? [])
    .filter(({ parentRef }) => isParent(parentRef, key, namespace))
    .map(({ conditions = [] }) => conditions);
  const told = parents.filter((conditions) => conditions.every((c) => (c.observedGeneration ?? 0) >= generation));
  const fault = told.map((conditions) => conditionsFault(conditions, key)).find((f) => f !== undefined);
  if (fault !== undefined) return fault;
  const current = parents.length > 0 && parents.every((conditions) => isCurrent(conditions, generation));
  return current ? programmed(route) : { state: 'Pending' };
}

/** A fault of the Gateway itself, whatever the route says. */
export function gatewayFault({ key, gateway }: GatewayView): Refusal | undefined {
  if (gateway === 'Unseen') return undefined;
  if (gateway === 'Missing') {
    return refused('GatewayNotFound', `There is no Gateway ${keyText(key)}: create it, or name another one.`);
  }
  const accepted = find(gateway.status?.conditions ?? [], 'Accepted');
  return accepted?.status === 'False'
    ? refused('GatewayNotAccepted', `Gateway ${keyText(key)} is not accepted (${accepted.reason}): ${accepted.message}`)
    : undefined;
}

export const NO_GATEWAY: Refusal = refused(
  'GatewayNotNamed',
  'No Gateway is named: set spec.traffic.gateway, or a default Gateway for the operator, or write provider: Replicas.',
);

export const featureFault = ({ refusal }: FeatureFindings): Refusal | undefined =>
  refusal === undefined ? undefined : refused('FeatureNotSupported', refusal);

/** Why nobody may ever answer for a route, as far as the class of the Gateway tells. */
function classCaveat({ gateway, gatewayClass }: GatewayView): string | undefined {
  if (gateway === 'Missing' || gateway === 'Unseen') return undefined;
  const name = gateway.spec.gatewayClassName;
  if (gatewayClass === undefined) return `There is no GatewayClass ${name}, which the Gateway names: install it.`;
  const accepted = find(gatewayClass.status?.conditions ?? [], 'Accepted');
  return accepted?.status === 'False'
    ? `GatewayClass ${name} is not accepted (${accepted.reason}): ${accepted.message}`
    : undefined;
}

/** What the gateway made of the route of a service, from the status of both. */
export function routeFacts(
  view: GatewayView,
  shape: Pick<RouteShape, 'pathPrefix'>,
  route: HTTPRoute | undefined,
): RouteFacts {
  const findings = featureFindings(shape, view.gatewayClass);
  const fault = gatewayFault(view) ?? featureFault(findings);
  if (fault !== undefined) return fault;
  const facts: RouteFacts = route === undefined ? { state: 'Absent' } : ofParents(route, view.key);
  const caveat = facts.state === 'Programmed' ? findings.caveat : classCaveat(view);
  return facts.state === 'Refused' || caveat === undefined ? facts : { ...facts, caveat };
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

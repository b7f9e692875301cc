import type { GatewayClass } from '../api/gateway.ts';
import type { RouteShape } from '../render/route.ts';

/** Features beyond the core that a route of ours can need, by the field of ours that asks for them. */
interface Need {
  readonly feature: string;
  readonly field: string;
  /** What to write where the gateway can't. */
  readonly instead: string;
}

const PATH_REWRITE: Need = {
  feature: 'HTTPRoutePathRewrite',
  field: 'spec.traffic.pathPrefix',
  instead: 'write pathPrefix: / and a host of its own in spec.traffic.hostnames',
};
const NAMED_RULES = 'HTTPRouteNamedRouteRule';

/** Weights, exact headers, path prefixes, host names and parents in other namespaces are core: every gateway has them. */
const needsOf = ({ pathPrefix }: Pick<RouteShape, 'pathPrefix'>): readonly Need[] =>
  pathPrefix === '/' ? [] : [PATH_REWRITE];

/** undefined: the class does not say, as those of Envoy Gateway up to 1.9 and of everything before v1.3 of the API do. */
function featuresOf(gatewayClass: GatewayClass | undefined): ReadonlySet<string> | undefined {
  const told = gatewayClass?.status?.supportedFeatures;
  if (told === undefined || told.length === 0) return undefined;
  return new Set(told.map((feature) => (typeof feature === 'string' ? feature : feature.name)));
}

export const canNameRules = (gatewayClass: GatewayClass | undefined): boolean =>
  featuresOf(gatewayClass)?.has(NAMED_RULES) ?? false;

/** What is sure not to work, in a sentence, or what may not, where the class keeps silent. */
export interface FeatureFindings {
  readonly refusal?: string;
  readonly caveat?: string;
}

/** Holds what a route needs beyond the core against what the class of its gateway says it can. */
export function featureFindings(
  shape: Pick<RouteShape, 'pathPrefix'>,
  gatewayClass: GatewayClass | undefined,
): FeatureFindings {
  const needs = needsOf(shape);
  if (gatewayClass === undefined || needs.length === 0) return {};
  const { name } = gatewayClass.metadata;
  const features = featuresOf(gatewayClass);
  const missing = needs.find(({ feature }) => features?.has(feature) !== true);
  if (missing === undefined) return {};
  const { feature, field, instead } = missing;
  return features === undefined
    ? {
        caveat: `GatewayClass ${name} does not say which features it supports, so only the core is sure: ${field} needs ${feature}.`,
      }
    : { refusal: `GatewayClass ${name} does not support ${feature}, which ${field} needs: ${instead}.` };
}

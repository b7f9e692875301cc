import { PREVIEW_HEADER } from '@slipway/crds/contract';
import type { BackendReference, HTTPRoute, ParentReference, RouteMatch, RouteRule } from '../api/gateway.ts';
import type { InferenceService } from '../api/kinds.ts';
import type { Backend } from '../domain/rollout/weights.ts';
import type { HeaderRoute } from '../domain/rollout/world.ts';
import type { Stored } from '../kube/wire.ts';
import { predictorMeta, predictorNames, SERVICE_PORT } from './predictorChildren.ts';

/** Everything of a route that a rollout does not change. */
export interface RouteShape {
  readonly parents: readonly ParentReference[];
  readonly hostnames: readonly string[];
  readonly pathPrefix: string;
  /** Rules get names, for policies that attach to one of them. */
  readonly named: boolean;
}

/** How requests are to be split: by header where one fits, else by weights that add up to 10,000. */
export interface RouteSplit {
  readonly backends: readonly Backend[];
  /** First fit first. */
  readonly routes: readonly HeaderRoute[];
}

type Headers = HeaderRoute['header'];

const rewrite = (prefix: string): Pick<RouteRule, 'filters'> =>
  prefix === '/'
    ? {}
    : {
        filters: [
          { type: 'URLRewrite', urlRewrite: { path: { type: 'ReplacePrefixMatch', replacePrefixMatch: '/' } } },
        ],
      };

const size = (header: Headers): number => Object.keys(header).length;
const agree = (one: Headers, other: Headers): boolean =>
  Object.entries(one).every(([name, value]) => (other[name] ?? value) === value);

/**
 * A gateway takes the match with the most headers, wherever it stands, and looks at the order among equals only. A
 * request that fits an earlier route with few headers and a later one with more must still go by the earlier: that one
 * asks for both as well. A route for which a later one says all that it does itself would win without it.
 */
const headersOf = (routes: readonly HeaderRoute[], i: number, header: Headers): readonly Headers[] => [
  header,
  ...routes
    .slice(i + 1)
    .filter((later) => size(later.header) > size(header) && agree(header, later.header))
    .map((later) => ({ ...later.header, ...header })),
];

const match = (prefix: string, header: Headers = {}): RouteMatch => {
  const headers = Object.entries(header).map(([name, value]) => ({ type: 'Exact' as const, name, value }));
  return { path: { type: 'PathPrefix', value: prefix }, ...(headers.length === 0 ? {} : { headers }) };
};

const nameOf = ({ header }: HeaderRoute, i: number): string =>
  header[PREVIEW_HEADER.name] === undefined ? `header-${i + 1}` : 'preview';

/**
 * The one route of a service. A revision that its split does not name is in no rule of it, at no weight. The rule of the
 * weights stays the first of all: a gateway that knows a rule's backends by its place (Envoy Gateway does) would send
 * everybody to the candidate for an instant, if a rule for previews pushed it to the second. Order decides nothing
 * between the two: the rule with more headers wins.
 */
export function httpRoute(infs: Stored<InferenceService>, shape: RouteShape, split: RouteSplit): HTTPRoute {
  const { parents, hostnames, pathPrefix, named } = shape;
  const names = predictorNames(infs.metadata.name);
  const backend = (revision: string, weight: number): BackendReference => ({
    name: names.revision(revision),
    port: SERVICE_PORT,
    weight,
  });
  const rule = (name: string, matches: RouteMatch[], backendRefs: BackendReference[]): RouteRule => ({
    ...(named ? { name } : {}),
    matches,
    ...rewrite(pathPrefix),
    backendRefs,
  });
  const byHeader = split.routes.map((route, i) => {
    const matches = headersOf(split.routes, i, route.header).map((header) => match(pathPrefix, header));
    return rule(nameOf(route, i), matches, [backend(route.revision, 1)]);
  });
  const byWeight = split.backends.map(({ revision, weight }) => backend(revision, weight));
  return {
    apiVersion: 'gateway.networking.k8s.io/v1',
    kind: 'HTTPRoute',
    metadata: predictorMeta(infs, names.route),
    spec: {
      parentRefs: [...parents],
      ...(hostnames.length === 0 ? {} : { hostnames: [...hostnames] }),
      rules: [rule('weights', [match(pathPrefix)], byWeight), ...byHeader],
    },
  };
}

const headerOf = ({ headers = [] }: RouteMatch): Headers =>
  Object.fromEntries(headers.map(({ name, value }) => [name, value]));

const byWeightOnly = ({ matches }: RouteRule): boolean => matches.every(({ headers = [] }) => headers.length === 0);

/** What httpRoute() made, read back: the split of a route as it is stored. */
export function splitOf(route: HTTPRoute): RouteSplit {
  const revision = ({ name }: BackendReference): string => name.slice(route.metadata.name.length + 1);
  const { rules } = route.spec;
  return {
    backends: rules
      .filter(byWeightOnly)
      .flatMap(({ backendRefs = [] }) => backendRefs)
      .map((ref) => ({ revision: revision(ref), weight: ref.weight })),
    routes: rules.flatMap(({ matches: [own], backendRefs: [to] = [] }) =>
      own?.headers === undefined || to === undefined ? [] : [{ header: headerOf(own), revision: revision(to) }],
    ),
  };
}

/** The shape of a route as it is stored. */
export const shapeOf = ({ spec: { parentRefs, hostnames = [], rules } }: HTTPRoute): RouteShape => ({
  parents: parentRefs.map(({ name, namespace, sectionName }) => ({
    name,
    ...(namespace === undefined ? {} : { namespace }),
    ...(sectionName === undefined ? {} : { sectionName }),
  })),
  hostnames,
  pathPrefix: rules.find(byWeightOnly)?.matches[0]?.path.value ?? '/',
  named: rules.some(({ name }) => name !== undefined),
});

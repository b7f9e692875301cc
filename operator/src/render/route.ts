import type { HTTPRoute, RouteRule } from '../api/gateway.ts';
import type { InferenceService } from '../api/kinds.ts';
import type { Backend } from '../domain/rollout/weights.ts';
import type { Key } from '../kube/resource.ts';
import type { Stored } from '../kube/wire.ts';
import { predictorMeta, predictorNames, SERVICE_PORT } from './predictorChildren.ts';

const rewrite = (prefix: string): Pick<RouteRule, 'filters'> =>
  prefix === '/'
    ? {}
    : {
        filters: [
          { type: 'URLRewrite', urlRewrite: { path: { type: 'ReplacePrefixMatch', replacePrefixMatch: '/' } } },
        ],
      };

/** The one route of a service. Its weights are those of the plan; a revision that is not in it gets nothing at all. */
export function httpRoute(infs: Stored<InferenceService>, gateway: Key, backends: readonly Backend[]): HTTPRoute {
  const { hostnames, pathPrefix } = infs.spec.traffic;
  const names = predictorNames(infs.metadata.name);
  return {
    apiVersion: 'gateway.networking.k8s.io/v1',
    kind: 'HTTPRoute',
    metadata: predictorMeta(infs, names.route),
    spec: {
      parentRefs: [{ name: gateway.name, namespace: gateway.namespace }],
      ...(hostnames === undefined || hostnames.length === 0 ? {} : { hostnames: [...hostnames] }),
      rules: [
        {
          matches: [{ path: { type: 'PathPrefix', value: pathPrefix } }],
          ...rewrite(pathPrefix),
          backendRefs: backends.map(({ revision, weight }) => ({
            name: names.revision(revision),
            port: SERVICE_PORT,
            weight,
          })),
        },
      ],
    },
  };
}

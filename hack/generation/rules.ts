import type { Grant, Verb } from '@slipway/operator/kube/contracts.ts';

/** A rule of a Role or ClusterRole. */
export interface PolicyRule {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly verbs: readonly Verb[];
}

/** What the operator may do, by where a binding must give it. */
export interface Permissions {
  /** In the operator's own namespace, wherever it works: the lease it leads by. */
  readonly own: readonly PolicyRule[];
  /** In every namespace it works in. */
  readonly namespaced: readonly PolicyRule[];
  /** On objects that belong to no namespace. */
  readonly cluster: readonly PolicyRule[];
}

const VERB_ORDER: readonly Verb[] = ['get', 'list', 'watch', 'create', 'update', 'patch', 'delete'];

const nameOf = ({ resource, subresource }: Grant): string =>
  subresource === undefined ? resource.plural : `${resource.plural}/${subresource}`;

/** Verbs by "group resource", each in the order a person expects them. */
function verbsByResource(grants: readonly Grant[]): Map<string, readonly Verb[]> {
  const all = new Map<string, Set<Verb>>();
  for (const grant of grants) {
    const id = `${grant.resource.group} ${nameOf(grant)}`;
    all.set(id, new Set([...(all.get(id) ?? []), ...grant.verbs]));
  }
  return new Map([...all].map(([id, verbs]) => [id, VERB_ORDER.filter((verb) => verbs.has(verb))]));
}

/** The fewest rules that say the same: resources of one group with the same verbs share one. */
export function rulesFrom(grants: readonly Grant[]): PolicyRule[] {
  const rules = new Map<string, { group: string; verbs: readonly Verb[]; resources: string[] }>();
  for (const [id, verbs] of [...verbsByResource(grants)].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const [group = '', name = ''] = id.split(' ');
    const key = `${group} ${verbs.join()}`;
    const rule = rules.get(key) ?? { group, verbs, resources: [] };
    rules.set(key, { ...rule, resources: [...rule.resources, name] });
  }
  return [...rules.values()].map(({ group, resources, verbs }) => ({ apiGroups: [group], resources, verbs }));
}

const isOwn = ({ resource }: Grant): boolean => resource.group === 'coordination.k8s.io';

/** Splits what the code uses by the scope it needs, so that no right is given wider than that. */
export const permissionsFrom = (grants: readonly Grant[]): Permissions => ({
  own: rulesFrom(grants.filter(isOwn)),
  namespaced: rulesFrom(grants.filter((grant) => grant.resource.namespaced && !isOwn(grant))),
  cluster: rulesFrom(grants.filter((grant) => !grant.resource.namespaced)),
});

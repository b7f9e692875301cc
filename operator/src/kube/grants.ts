import type { Client } from './client.ts';
import type { ControllerSpec, Grant, Verb } from './contracts.ts';
import type { Resource } from './resource.ts';

/** Everything a controller may do: what it declares, and list and watch of what it watches. RBAC is generated from this. */
export const grantsOf = ({ grants, sources }: Pick<ControllerSpec, 'grants' | 'sources'>): Grant[] => [
  ...grants,
  ...sources.map(({ resource }): Grant => ({ resource, verbs: ['list', 'watch'] })),
];

/** A call that the controller never declared: the generated RBAC would refuse it in production, so it fails here first. */
export class UngrantedError extends Error {
  override readonly name = 'UngrantedError';
}

const PODS: Resource = { group: '', version: 'v1', kind: 'Pod', plural: 'pods', namespaced: true };

const READS: ReadonlySet<Verb> = new Set(['get', 'list', 'watch']);

export interface ScopeOptions {
  /** False once another replica may have taken over: then reads go on and writes are refused. */
  readonly mayWrite?: () => boolean;
}

/** `client`, refusing every call outside `grants`. `who` is named in the refusal. */
export function scoped(client: Client, grants: readonly Grant[], who: string, options: ScopeOptions = {}): Client {
  const { mayWrite = () => true } = options;
  const idOf = ({ group, plural }: Resource, subresource = ''): string => `${plural}.${group}/${subresource}`;
  const granted = new Set(grants.flatMap((g) => g.verbs.map((verb) => `${verb} ${idOf(g.resource, g.subresource)}`)));

  function need(resource: Resource, verbs: readonly Verb[], subresource?: string): void {
    const missing = verbs.filter((verb) => !granted.has(`${verb} ${idOf(resource, subresource)}`));
    if (missing.length === 0) return;
    const what = subresource === undefined ? resource.plural : `${resource.plural}/${subresource}`;
    throw new UngrantedError(`${who} has no grant to ${missing.join(' and ')} ${what}: add it to the grants of ${who}`);
  }

  function allow(resource: Resource, verbs: readonly Verb[], subresource?: string): Client {
    need(resource, verbs, subresource);
    if (!verbs.every((verb) => READS.has(verb)) && !mayWrite())
      throw new Error(`${who} no longer holds the lease: another replica decides now`);
    return client;
  }

  return {
    get: async (resource, ...rest) => allow(resource, ['get']).get(resource, ...rest),
    list: async (resource, ...rest) => allow(resource, ['list']).list(resource, ...rest),
    create: async (resource, ...rest) => allow(resource, ['create']).create(resource, ...rest),
    // The server asks for both: the first apply of an object creates it.
    apply: async (resource, ...rest) => allow(resource, ['create', 'patch']).apply(resource, ...rest),
    applyStatus: async (resource, ...rest) => allow(resource, ['patch'], 'status').applyStatus(resource, ...rest),
    merge: async (resource, ...rest) => allow(resource, ['patch']).merge(resource, ...rest),
    podLog: async (...rest) => allow(PODS, ['get'], 'log').podLog(...rest),
    delete: async (resource, ...rest) => allow(resource, ['delete']).delete(resource, ...rest),
  };
}

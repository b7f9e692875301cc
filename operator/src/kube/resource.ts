import type { KubeObject } from './wire.ts';

/** Where a kind lives on the API server. T is phantom: it types what get, list and apply carry. */
export interface Resource<T extends KubeObject = KubeObject> {
  readonly group: string; // '' for the core group
  readonly version: string;
  readonly kind: string;
  readonly plural: string;
  readonly namespaced: boolean;
  /** Fills in what the server's definition of the kind leaves out. */
  whole?(object: T): T;
  readonly _type?: T;
}

export const resource = <T extends KubeObject>(
  group: string,
  version: string,
  kind: string,
  plural: string,
  namespaced = true,
): Resource<T> => ({ group, version, kind, plural, namespaced });

export const apiVersionOf = (r: Resource): string => (r.group === '' ? r.version : `${r.group}/${r.version}`);

/** Names one object: namespace is '' for cluster-scoped kinds. */
export interface Key {
  readonly namespace: string;
  readonly name: string;
}
export const keyText = ({ namespace, name }: Key): string => (namespace === '' ? name : `${namespace}/${name}`);
export const keyOf = (o: KubeObject): Key => ({ namespace: o.metadata.namespace ?? '', name: o.metadata.name });

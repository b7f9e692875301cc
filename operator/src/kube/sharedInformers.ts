import type { Source, Store } from './contracts.ts';
import { Informer } from './informer.ts';
import type { Surroundings } from './reflector.ts';
import type { Resource } from './resource.ts';
import type { KubeObject } from './wire.ts';

const kindOf = ({ group, version, plural }: Resource): string => `${plural}.${version}.${group}`;

/** One informer a kind and selector, whoever asks for it: two controllers that watch Pods cost one watch. */
export class SharedInformers {
  readonly #around: Surroundings;
  readonly #namespaces: readonly string[];
  readonly #informers = new Map<string, Informer<KubeObject>>();

  constructor(around: Surroundings, namespaces: readonly string[]) {
    this.#around = around;
    this.#namespaces = namespaces;
  }

  /** The informer of a source, with the source's indexes added under the name of their owner. */
  of(owner: string, { resource, labelSelector, indexes = {} }: Source): Informer<KubeObject> {
    const id = `${kindOf(resource)}?${labelSelector ?? ''}`;
    const known = this.#informers.get(id);
    const informer = known ?? new Informer(this.#around, { resource, labelSelector, namespaces: this.#namespaces });
    this.#informers.set(id, informer);
    for (const [name, index] of Object.entries(indexes)) informer.addIndex(`${owner}/${name}`, index);
    return informer;
  }

  hasSynced(): boolean {
    return [...this.#informers.values()].every((informer) => informer.hasSynced());
  }

  async synced(): Promise<void> {
    await Promise.all([...this.#informers.values()].map((informer) => informer.synced()));
  }

  async run(signal: AbortSignal): Promise<void> {
    await Promise.all([...this.#informers.values()].map((informer) => informer.run(signal)));
  }
}

/** What one controller may read: the stores of its own sources, its own indexes by their plain names. */
export class SourceStores {
  readonly #owner: string;
  readonly #stores = new Map<string, Store<KubeObject>>();

  constructor(owner: string) {
    this.#owner = owner;
  }

  add(resource: Resource, store: Store<KubeObject>): void {
    const id = kindOf(resource);
    if (this.#stores.has(id)) throw new Error(`${this.#owner} has two sources of ${resource.plural}: make them one`);
    const by = (index: string, value: string) => store.by(`${this.#owner}/${index}`, value);
    this.#stores.set(id, { get: (key) => store.get(key), list: (namespace) => store.list(namespace), by });
  }

  of<T extends KubeObject>(resource: Resource<T>): Store<T> {
    const store = this.#stores.get(kindOf(resource));
    if (store === undefined)
      throw new Error(`${this.#owner} reads ${resource.plural} but has no source of them: add one to its sources`);
    return store as Store<T>;
  }
}

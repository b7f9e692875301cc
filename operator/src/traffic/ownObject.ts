import type { RouteFacts } from '../domain/rollout/world.ts';
import type { Client } from '../kube/client.ts';
import type { Store } from '../kube/contracts.ts';
import { type Key, keyText, type Resource } from '../kube/resource.ts';
import type { KubeObject, Stored } from '../kube/wire.ts';

export interface OwnObjectOptions<T extends KubeObject> {
  readonly client: Client;
  readonly resource: Resource<T>;
  readonly store: Store<T>;
  readonly fieldManager: string;
}

/** What the server told of the object of one service, where the cache may not have it yet. */
interface Known<T extends KubeObject> {
  /** uid of the service. */
  readonly owner: string;
  readonly newest?: Stored<T>;
  /** uid of what was deleted. */
  readonly removed?: string;
  /** Kind and name of somebody else's object in its place: in no cache, as it has none of our labels. */
  readonly namesake?: string;
}

const owns = (owner: Stored<KubeObject>, { metadata }: KubeObject): boolean =>
  metadata.ownerReferences?.some(({ uid }) => uid === owner.metadata.uid) ?? false;

/** Versions are whole numbers that grow (KEP-5504). */
const isBehind = (cached: Stored<KubeObject> | undefined, newest: Stored<KubeObject>): boolean =>
  cached === undefined ||
  cached.metadata.uid !== newest.metadata.uid ||
  BigInt(cached.metadata.resourceVersion) < BigInt(newest.metadata.resourceVersion);

/**
 * The one object by which a provider splits the requests of a service, in the newest version that can be known. A cache
 * alone won't do: one that still shows the route as it was before our last write has a rollback write nothing, and
 * calls the candidate gone that the server still sends requests to.
 */
export class OwnObject<T extends KubeObject> {
  readonly #options: OwnObjectOptions<T>;
  readonly #known = new Map<string, Known<T>>();

  constructor(options: OwnObjectOptions<T>) {
    this.#options = options;
  }

  /** Asks the server the first time, as a leader before may have written last, and while the cache is behind. */
  async look(owner: Stored<KubeObject>, key: Key, signal: AbortSignal): Promise<void> {
    const known = this.#of(owner, key);
    if (known !== undefined && (known.newest === undefined || !isBehind(this.#cached(owner, key), known.newest)))
      return;
    this.#take(owner, key, await this.#options.client.get(this.#options.resource, key, { signal }));
  }

  /** The object, if it is ours. */
  current(owner: Stored<KubeObject>, key: Key): Stored<T> | undefined {
    const cached = this.#cached(owner, key);
    const known = this.#of(owner, key);
    if (known?.newest !== undefined && isBehind(cached, known.newest)) return known.newest;
    return cached?.metadata.uid === known?.removed ? undefined : cached;
  }

  /** Why there is none, if somebody else's object bears its name. */
  taken(owner: Stored<KubeObject>, key: Key): RouteFacts | undefined {
    const namesake = this.#of(owner, key)?.namesake;
    if (namesake === undefined) return undefined;
    const message = `${namesake} exists and does not belong to this InferenceService: rename or delete it.`;
    return { state: 'Refused', reason: 'NameTaken', message };
  }

  /** Writes it, unless somebody else's bears its name: that one is never changed. Answers whether it was written. */
  async write(owner: Stored<KubeObject>, key: Key, wanted: T, signal: AbortSignal): Promise<boolean> {
    const { client, resource, fieldManager } = this.#options;
    if (this.current(owner, key) === undefined) {
      this.#take(owner, key, await client.get(resource, key, { signal }));
      if (this.#of(owner, key)?.namesake !== undefined) return false;
    }
    const newest = await client.apply(resource, wanted, { fieldManager, signal });
    this.#known.set(keyText(key), { owner: owner.metadata.uid, newest });
    return true;
  }

  async remove(owner: Stored<KubeObject>, key: Key, signal: AbortSignal): Promise<void> {
    const found = this.current(owner, key);
    if (found === undefined) return;
    const { uid } = found.metadata;
    await this.#options.client.delete(this.#options.resource, key, { uid, signal });
    this.#known.set(keyText(key), { owner: owner.metadata.uid, removed: uid });
  }

  forget(key: Key): void {
    this.#known.delete(keyText(key));
  }

  #take(owner: Stored<KubeObject>, key: Key, found: Stored<T> | undefined): void {
    const { uid } = owner.metadata;
    // The cache may still have what is gone.
    const removed = (this.#of(owner, key)?.newest ?? this.#cached(owner, key))?.metadata.uid;
    if (found === undefined)
      this.#known.set(keyText(key), { owner: uid, ...(removed === undefined ? {} : { removed }) });
    else if (owns(owner, found)) this.#known.set(keyText(key), { owner: uid, newest: found });
    else this.#known.set(keyText(key), { owner: uid, namesake: `${found.kind} ${found.metadata.name}` });
  }

  #of(owner: Stored<KubeObject>, key: Key): Known<T> | undefined {
    const known = this.#known.get(keyText(key));
    return known?.owner === owner.metadata.uid ? known : undefined;
  }

  #cached(owner: Stored<KubeObject>, key: Key): Stored<T> | undefined {
    const cached = this.#options.store.get(key);
    return cached !== undefined && owns(owner, cached) ? cached : undefined;
  }
}

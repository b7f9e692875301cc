import { type IndexFunction, MemoryStore } from './memoryStore.ts';
import { Reflector, type Sink, type Surroundings } from './reflector.ts';
import { keyOf, keyText, type Resource } from './resource.ts';
import type { KubeObject, Stored } from './wire.ts';

/** What happened to the cache. `initial` marks the first list: not news, only what is there. */
export interface Change<T extends KubeObject> {
  readonly type: 'added' | 'updated' | 'deleted';
  readonly object: Stored<T>;
  readonly previous?: Stored<T>;
  readonly initial: boolean;
}
export interface InformerOptions<T extends KubeObject> {
  readonly resource: Resource<T>;
  /** Empty: all namespaces. */
  readonly namespaces?: readonly string[];
  readonly labelSelector?: string | undefined;
  readonly fieldSelector?: string | undefined;
  readonly silenceMs?: number;
}

/** One cache of one kind, shared by everyone who subscribes before it runs. */
export class Informer<T extends KubeObject> {
  readonly store = new MemoryStore<T>();
  readonly #around: Surroundings;
  readonly #options: InformerOptions<T>;
  readonly #subscribers: ((change: Change<T>) => void)[] = [];
  readonly #scopes: readonly (string | undefined)[];
  readonly #listed = new Set<string | undefined>();
  readonly #synced = Promise.withResolvers<void>();

  constructor(around: Surroundings, options: InformerOptions<T>) {
    this.#around = around;
    this.#options = options;
    const { namespaces = [], resource } = options;
    this.#scopes = namespaces.length > 0 && resource.namespaced ? namespaces : [undefined];
  }

  subscribe(subscriber: (change: Change<T>) => void): void {
    this.#subscribers.push(subscriber);
  }

  /** Declares an index before the informer runs. An index function that throws leaves its object out of the index. */
  addIndex(name: string, of: IndexFunction<T>): void {
    this.store.addIndex(name, (object) => {
      try {
        return of(object);
      } catch (error) {
        this.#blame(error, object, `index ${name} threw`);
        return [];
      }
    });
  }

  hasSynced(): boolean {
    return this.#listed.size === this.#scopes.length;
  }

  /** Resolves once every scope was listed and its subscribers were told. */
  synced(): Promise<void> {
    return this.#synced.promise;
  }

  /** Returns when `signal` aborts. */
  async run(signal: AbortSignal): Promise<void> {
    const { resource, labelSelector, fieldSelector, silenceMs } = this.#options;
    const reflectors = this.#scopes.map(
      (namespace) =>
        new Reflector(this.#around, {
          resource,
          scope: { namespace, labelSelector, fieldSelector },
          sink: this.#sinkOf(namespace),
          ...(silenceMs === undefined ? {} : { silenceMs }),
        }),
    );
    await Promise.all(reflectors.map((reflector) => reflector.run(signal)));
  }

  #sinkOf(scope: string | undefined): Sink<T> {
    return {
      upsert: (object) => this.#upsert(object, false),
      remove: (object) => this.#remove(object),
      replace: (objects) => this.#replace(scope, objects),
    };
  }

  #replace(scope: string | undefined, objects: readonly Stored<T>[]): void {
    const initial = !this.#listed.has(scope);
    const listed = new Set(objects.map(({ metadata }) => metadata.uid));
    for (const stored of this.store.list(scope)) if (!listed.has(stored.metadata.uid)) this.#remove(stored);
    for (const object of objects) this.#upsert(object, initial);
    this.#listed.add(scope);
    if (this.hasSynced()) this.#synced.resolve();
  }

  /** A name deleted and created again while nobody looked is two changes: its owner must hear of the end of the first. */
  #upsert(object: Stored<T>, initial: boolean): void {
    const stored = this.store.get(keyOf(object));
    if (stored?.metadata.resourceVersion === object.metadata.resourceVersion) return;
    if (stored !== undefined && stored.metadata.uid !== object.metadata.uid) this.#remove(stored);
    const previous = this.store.set(object);
    if (previous === undefined) this.#tell({ type: 'added', object, initial });
    else this.#tell({ type: 'updated', object, previous, initial });
  }

  #remove(object: Stored<T>): void {
    const previous = this.store.delete(keyOf(object));
    if (previous !== undefined) this.#tell({ type: 'deleted', object, previous, initial: false });
  }

  /** A subscriber that throws must neither stop the watch nor keep the others from hearing. */
  #tell(change: Change<T>): void {
    for (const subscriber of this.#subscribers) {
      try {
        subscriber(change);
      } catch (error) {
        this.#blame(error, change.object, 'a subscriber threw');
      }
    }
  }

  #blame(error: unknown, object: Stored<T>, what: string): void {
    const { plural } = this.#options.resource;
    this.#around.meter.callbackFailure(plural);
    this.#around.log.error({ err: error, resource: plural, key: keyText(keyOf(object)) }, what);
  }
}

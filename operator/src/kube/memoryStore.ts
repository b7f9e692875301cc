import type { Store } from './contracts.ts';
import { type Key, keyOf, keyText } from './resource.ts';
import type { KubeObject, Stored } from './wire.ts';

export type IndexFunction<T extends KubeObject> = (object: Stored<T>) => readonly string[];
type Objects<T extends KubeObject> = Map<string, Stored<T>>;

const NAMESPACE = 'namespace';

/** An informer's cache: objects by key and by what index functions say of them. */
export class MemoryStore<T extends KubeObject> implements Store<T> {
  readonly #objects: Objects<T> = new Map();
  readonly #functions = new Map<string, IndexFunction<T>>();
  readonly #indexes = new Map<string, Map<string, Objects<T>>>();

  constructor() {
    this.addIndex(NAMESPACE, (object) => [object.metadata.namespace ?? '']);
  }

  /** Declares an index. Only before the first object is stored. */
  addIndex(name: string, of: IndexFunction<T>): void {
    if (this.#functions.has(name)) throw new Error(`index ${name} is declared twice: name one of them differently`);
    this.#functions.set(name, of);
    this.#indexes.set(name, new Map());
  }

  get(key: Key): Stored<T> | undefined {
    return this.#objects.get(keyText(key));
  }

  list(namespace?: string): readonly Stored<T>[] {
    return namespace === undefined ? [...this.#objects.values()] : this.by(NAMESPACE, namespace);
  }

  by(index: string, value: string): readonly Stored<T>[] {
    const values = this.#indexes.get(index);
    if (values === undefined) throw new Error(`no index ${index}: declare it in the source's indexes`);
    return [...(values.get(value)?.values() ?? [])];
  }

  /** Stores the object and returns what stood under its key. */
  set(object: Stored<T>): Stored<T> | undefined {
    const previous = this.delete(keyOf(object));
    this.#objects.set(keyText(keyOf(object)), object);
    for (const [index, value] of this.#entries(object)) {
      const objects = index.get(value) ?? new Map();
      index.set(value, objects.set(keyText(keyOf(object)), object));
    }
    return previous;
  }

  /** Removes what stands under the key and returns it. */
  delete(key: Key): Stored<T> | undefined {
    const text = keyText(key);
    const stored = this.#objects.get(text);
    if (stored === undefined) return undefined;
    this.#objects.delete(text);
    for (const [index, value] of this.#entries(stored)) {
      const objects = index.get(value);
      objects?.delete(text);
      if (objects?.size === 0) index.delete(value);
    }
    return stored;
  }

  *#entries(object: Stored<T>): Generator<[Map<string, Objects<T>>, string]> {
    for (const [name, of] of this.#functions) {
      const index = this.#indexes.get(name);
      if (index !== undefined) for (const value of of(object)) yield [index, value];
    }
  }
}

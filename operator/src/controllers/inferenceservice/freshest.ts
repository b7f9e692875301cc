import { type Key, keyText } from '../../kube/resource.ts';
import type { KubeObject, Stored } from '../../kube/wire.ts';

/**
 * The newest version of objects we wrote. A pass that follows a write at once would find the cache without it and decide
 * again on the old status: a step taken twice, an event told twice.
 */
export class Freshest<T extends KubeObject> {
  readonly #written = new Map<string, Stored<T>>();

  remember(key: Key, object: Stored<T>): void {
    this.#written.set(keyText(key), object);
  }

  /** The cached object, or the one we wrote where the cache has not caught up. Versions are whole numbers (KEP-5504). */
  of(key: Key, cached: Stored<T>): Stored<T> {
    const written = this.#written.get(keyText(key));
    const ahead =
      written !== undefined &&
      written.metadata.uid === cached.metadata.uid &&
      BigInt(written.metadata.resourceVersion) > BigInt(cached.metadata.resourceVersion);
    if (ahead) return written;
    this.#written.delete(keyText(key));
    return cached;
  }

  forget(key: Key): void {
    this.#written.delete(keyText(key));
  }
}

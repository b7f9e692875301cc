import type { Client } from '../kube/client.ts';
import { type Key, keyOf, keyText, type Resource } from '../kube/resource.ts';
import type { KubeObject, Stored } from '../kube/wire.ts';

/**
 * The newest version of a controller's own objects, as far as it can know. A pass over an older one would take back what
 * was written since: start again the run of a job that was just given up, or give traffic to a candidate that was just
 * rolled back.
 */
export class Latest<T extends KubeObject> {
  readonly #client: Client;
  readonly #resource: Resource<T>;
  readonly #uids = new Map<string, string>();
  readonly #written = new Map<string, Stored<T>>();

  constructor(client: Client, resource: Resource<T>) {
    this.#client = client;
    this.#resource = resource;
  }

  /**
   * The object to decide on. The first look at each is at the server, as what the leader before wrote last may not have
   * reached our cache. undefined: another stands in its place, and the watch will bring it.
   */
  async of(cached: Stored<T>, signal: AbortSignal): Promise<Stored<T> | undefined> {
    const key = keyOf(cached);
    const { uid } = cached.metadata;
    if (this.#uids.get(keyText(key)) !== uid) {
      const found = await this.#client.get(this.#resource, key, { signal });
      if (found?.metadata.uid !== uid) return undefined;
      this.#uids.set(keyText(key), uid);
      this.remember(found);
    }
    return this.#newer(keyText(key), cached);
  }

  /** Keeps what a write returned: the cache may see it only after the next pass. */
  remember(written: Stored<T>): void {
    this.#written.set(keyText(keyOf(written)), written);
  }

  /** Forgets a deleted object; its uid, if it was ever looked at. */
  forget(key: Key): string | undefined {
    const uid = this.#uids.get(keyText(key));
    this.#uids.delete(keyText(key));
    this.#written.delete(keyText(key));
    return uid;
  }

  /** Versions are whole numbers that grow (KEP-5504). */
  #newer(key: string, cached: Stored<T>): Stored<T> {
    const written = this.#written.get(key);
    const ahead =
      written?.metadata.uid === cached.metadata.uid &&
      BigInt(written.metadata.resourceVersion) > BigInt(cached.metadata.resourceVersion);
    if (written !== undefined && ahead) return written;
    this.#written.delete(key);
    return cached;
  }
}

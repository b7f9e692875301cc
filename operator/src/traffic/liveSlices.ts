import type { Service } from '../api/builtin.ts';
import { type EndpointSlice, endpointSlices } from '../api/endpointSlices.ts';
import type { Client } from '../kube/client.ts';
import { type Key, keyOf, keyText } from '../kube/resource.ts';
import type { Stored } from '../kube/wire.ts';

/** Kubernetes names the Service of a slice by this label. */
export const SERVICE_NAME = 'kubernetes.io/service-name';

const hasSeen = (cached: readonly Stored<EndpointSlice>[], live: Stored<EndpointSlice>): boolean =>
  cached.some(
    ({ metadata }) =>
      metadata.uid === live.metadata.uid && BigInt(metadata.resourceVersion) >= BigInt(live.metadata.resourceVersion),
  );

/**
 * EndpointSlices as the server has them, from a change of their Service until the cache has what the change led to, and
 * when a service is first looked at. A cache that lags may show the slices of before a version was let in, which look
 * just like those of after it was taken out.
 */
export class LiveSlices {
  readonly #client: Client;
  readonly #settled = new Set<string>();
  readonly #last = new Map<string, readonly Stored<EndpointSlice>[]>();

  constructor(client: Client) {
    this.#client = client;
  }

  async of(
    service: Stored<Service>,
    cached: readonly Stored<EndpointSlice>[],
    signal: AbortSignal,
  ): Promise<readonly Stored<EndpointSlice>[]> {
    const key = keyOf(service);
    if (this.#settled.has(keyText(key))) return cached;
    const labelSelector = `${SERVICE_NAME}=${key.name}`;
    const live = await this.#client.list(endpointSlices, key.namespace, { labelSelector, signal });
    this.#last.set(keyText(key), live);
    return live;
  }

  /** The Service was changed, or is new to us: only the server knows what its slices come to be. */
  unsettle(service: Key): void {
    this.#settled.delete(keyText(service));
    this.#last.delete(keyText(service));
  }

  /** They are what they were to become: from when the cache shows them too, it is believed again. */
  settled(service: Key, cached: readonly Stored<EndpointSlice>[]): void {
    const last = this.#last.get(keyText(service));
    if (last === undefined || !last.every((slice) => hasSeen(cached, slice))) return;
    this.#settled.add(keyText(service));
    this.#last.delete(keyText(service));
  }
}

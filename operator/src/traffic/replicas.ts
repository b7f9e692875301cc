import { LABELS } from '@slipway/crds/contract';
import { type Pod, type Service, services } from '../api/builtin.ts';
import type { EndpointSlice } from '../api/endpointSlices.ts';
import type { InferenceService } from '../api/kinds.ts';
import { canonicalJson } from '../domain/revision.ts';
import type { Backend } from '../domain/rollout/weights.ts';
import type { Client } from '../kube/client.ts';
import type { Store } from '../kube/contracts.ts';
import type { Key } from '../kube/resource.ts';
import type { Stored } from '../kube/wire.ts';
import { isAsApplied, stamped } from '../render/applied.ts';
import { predictorNames } from '../render/predictorChildren.ts';
import { replicasService } from '../render/replicasService.ts';
import { endpointFacts } from './endpointFacts.ts';
import { LiveSlices } from './liveSlices.ts';
import { OwnObject } from './ownObject.ts';
import type { MovableTraffic, TrafficSplit, TrafficState } from './provider.ts';

export interface ReplicasOptions {
  readonly client: Client;
  readonly services: Store<Service>;
  /** Every pod of a service, those on their way out included. */
  readonly podsOf: (infs: Stored<InferenceService>) => readonly Stored<Pod>[];
  /** EndpointSlices of any Service of a service. */
  readonly slicesOf: (infs: Stored<InferenceService>) => readonly Stored<EndpointSlice>[];
  readonly fieldManager: string;
}

const wayInOf = ({ metadata: { namespace = '', name } }: InferenceService): Key => ({
  namespace,
  name: predictorNames(name).route,
});

const isGoing = ({ metadata, status }: Pod): boolean =>
  metadata.deletionTimestamp !== undefined || status?.phase === 'Succeeded' || status?.phase === 'Failed';

const largest = (backends: readonly Backend[]): Backend | undefined =>
  backends.reduce<Backend | undefined>(
    (most, b) => (most === undefined || b.weight > most.weight ? b : most),
    undefined,
  );

/**
 * One Service a service, and no gateway: Kubernetes spreads requests evenly over the pods that it selects, so numbers
 * of pods are the weights. One version: its pods. Two: the pods of the service, as long as there are no others.
 */
export class ReplicasTraffic implements MovableTraffic {
  readonly #options: ReplicasOptions;
  readonly #service: OwnObject<Service>;
  readonly #slices: LiveSlices;

  constructor(options: ReplicasOptions) {
    const { client, fieldManager } = options;
    this.#options = options;
    this.#service = new OwnObject({ client, resource: services, store: options.services, fieldManager });
    this.#slices = new LiveSlices(client);
  }

  async read(infs: Stored<InferenceService>, signal: AbortSignal): Promise<TrafficState> {
    const { podsOf, slicesOf } = this.#options;
    const key = wayInOf(infs);
    await this.#service.look(infs, key, signal);
    const found = this.holds(infs);
    const taken = found === undefined ? this.#service.taken(infs, key) : undefined;
    if (taken !== undefined) return { route: taken };
    const slices = found === undefined ? [] : await this.#slices.of(found, slicesOf(infs), signal);
    const route = endpointFacts(found, podsOf(infs), slices);
    if (route.state === 'Programmed') this.#slices.settled(key, slicesOf(infs));
    return { route, url: `http://${key.name}.${key.namespace}.svc` };
  }

  /** Headers are not looked at: nothing here could, and the API refuses routes by them for these services. */
  async apply(infs: Stored<InferenceService>, { backends }: TrafficSplit, signal: AbortSignal): Promise<void> {
    if (backends.length === 0) return;
    const key = wayInOf(infs);
    const wanted = stamped(replicasService(infs, this.#onlyRevision(infs, backends)));
    if (isSelecting(this.holds(infs), wanted)) return;
    if (await this.#service.write(infs, key, wanted, signal)) this.#slices.unsettle(key);
  }

  holds(infs: Stored<InferenceService>): Stored<Service> | undefined {
    return this.#service.current(infs, wayInOf(infs));
  }

  remove(infs: Stored<InferenceService>, signal: AbortSignal): Promise<void> {
    return this.#service.remove(infs, wayInOf(infs), signal);
  }

  forget(service: Key): void {
    this.#service.forget(service);
    this.#slices.unsettle(service);
  }

  /**
   * The revision that gets everything; undefined: all of them do. Selecting all is for a split between revisions that
   * are the only ones with pods: those of a version that was rolled back or replaced must be on their way out first.
   */
  #onlyRevision(infs: Stored<InferenceService>, backends: readonly Backend[]): string | undefined {
    const named = new Set(backends.map(({ revision }) => revision));
    const others = this.#options
      .podsOf(infs)
      .some((pod) => !isGoing(pod) && !named.has(pod.metadata.labels?.[LABELS.revision] ?? ''));
    return backends.length > 1 && !others ? undefined : largest(backends)?.revision;
  }
}

/** A label too many in the selector is as wrong as one too few: it would leave pods out. */
const isSelecting = (found: Service | undefined, wanted: Service): boolean =>
  isAsApplied(found, wanted) && canonicalJson(found?.spec?.selector) === canonicalJson(wanted.spec?.selector);

import { LABELS } from '@slipway/crds/contract';
import { type Pod, type Service, services } from '../api/builtin.ts';
import type { EndpointSlice } from '../api/endpointSlices.ts';
import type { InferenceService } from '../api/kinds.ts';
import { canonicalJson } from '../domain/revision.ts';
import type { Backend } from '../domain/rollout/weights.ts';
import type { Client } from '../kube/client.ts';
import type { Store } from '../kube/contracts.ts';
import { type Key, keyOf } from '../kube/resource.ts';
import type { Stored } from '../kube/wire.ts';
import { isAsApplied, stamped } from '../render/applied.ts';
import { predictorNames } from '../render/predictorChildren.ts';
import { replicasService } from '../render/replicasService.ts';
import { endpointFacts } from './endpointFacts.ts';
import { Namesakes, owns } from './ownership.ts';
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
  readonly #namesakes = new Namesakes();

  constructor(options: ReplicasOptions) {
    this.#options = options;
  }

  read(infs: Stored<InferenceService>): TrafficState {
    const { podsOf, slicesOf } = this.#options;
    const found = this.holds(infs);
    const taken = found === undefined ? this.#namesakes.fault(infs) : undefined;
    if (taken !== undefined) return { route: taken };
    const { namespace, name } = this.#key(infs);
    return { route: endpointFacts(found, podsOf(infs), slicesOf(infs)), url: `http://${name}.${namespace}.svc` };
  }

  /** Headers are not looked at: nothing here could, and the API refuses routes by them for these services. */
  async apply(infs: Stored<InferenceService>, { backends }: TrafficSplit, signal: AbortSignal): Promise<void> {
    if (backends.length === 0) return;
    const found = this.holds(infs);
    const wanted = stamped(replicasService(infs, this.#onlyRevision(infs, backends)));
    if (isSelecting(found, wanted) || !(found !== undefined || (await this.#isFree(infs, signal)))) return;
    const { client, fieldManager } = this.#options;
    await client.apply(services, wanted, { fieldManager, signal });
  }

  holds(infs: Stored<InferenceService>): Stored<Service> | undefined {
    const found = this.#options.services.get(this.#key(infs));
    return found !== undefined && owns(infs, found) ? found : undefined;
  }

  async remove(infs: Stored<InferenceService>, signal: AbortSignal): Promise<void> {
    const found = this.holds(infs);
    if (found === undefined) return;
    await this.#options.client.delete(services, keyOf(found), { uid: found.metadata.uid, signal });
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

  #key({ metadata }: InferenceService): Key {
    return { namespace: metadata.namespace ?? '', name: predictorNames(metadata.name).route };
  }

  /** Asked before the first write only: a Service that is not in our cache may be a person's own. */
  async #isFree(infs: Stored<InferenceService>, signal: AbortSignal): Promise<boolean> {
    return this.#namesakes.saw(infs, await this.#options.client.get(services, this.#key(infs), { signal }));
  }
}

/** A label too many in the selector is as wrong as one too few: it would leave pods out. */
const isSelecting = (found: Service | undefined, wanted: Service): boolean =>
  isAsApplied(found, wanted) && canonicalJson(found?.spec?.selector) === canonicalJson(wanted.spec?.selector);

import { LABELS } from '@slipway/crds/contract';
import { type Pod, type Service, services } from '../api/builtin.ts';
import type { EndpointSlice } from '../api/endpointSlices.ts';
import type { InferenceService } from '../api/kinds.ts';
import { canonicalJson } from '../domain/revision.ts';
import { type Backend, TOTAL_WEIGHT } from '../domain/rollout/weights.ts';
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

/** Of 10,000: what the share of a candidate's pods may be above its weight when it is let in. */
const SLACK = 100;

const revisionOf = ({ metadata }: Pod): string => metadata.labels?.[LABELS.revision] ?? '';

/** Of 10,000 pods, given by their revisions, those of a backend. */
const shareOf = (revisions: readonly string[], { revision }: Backend): number =>
  (TOTAL_WEIGHT * revisions.filter((of) => of === revision).length) / Math.max(1, revisions.length);

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
   * are the only ones with pods: those of a version that was rolled back or replaced must be on their way out first. It
   * begins once their pods are the weights: a service that comes from a gateway in mid-rollout has as many as it was
   * sized for there, of which a twentieth of the requests may be a third of the pods.
   */
  #onlyRevision(infs: Stored<InferenceService>, backends: readonly Backend[]): string | undefined {
    const [stable, candidate] = backends;
    const revisions = this.#options.podsOf(infs).flatMap((pod) => (isGoing(pod) ? [] : [revisionOf(pod)]));
    const others = revisions.some((revision) => !backends.some((backend) => backend.revision === revision));
    if (stable === undefined || candidate === undefined || others) return largest(backends)?.revision;
    return this.#selectsAll(infs) || shareOf(revisions, candidate) <= candidate.weight + SLACK
      ? undefined
      : stable.revision;
  }

  #selectsAll(infs: Stored<InferenceService>): boolean {
    const found = this.holds(infs);
    return found !== undefined && found.spec?.selector?.[LABELS.revision] === undefined;
  }
}

/** A label too many in the selector is as wrong as one too few: it would leave pods out. */
const isSelecting = (found: Service | undefined, wanted: Service): boolean =>
  isAsApplied(found, wanted) && canonicalJson(found?.spec?.selector) === canonicalJson(wanted.spec?.selector);

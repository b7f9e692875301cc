import type { InferenceService } from '../api/kinds.ts';
import type { RouteFacts } from '../domain/rollout/world.ts';
import { type Key, keyOf } from '../kube/resource.ts';
import type { Stored } from '../kube/wire.ts';
import type { MovableTraffic, TrafficProvider, TrafficSplit, TrafficState } from './provider.ts';

/**
 * How long both ways in stay open after a service changed its provider: for every proxy to hear of the new one, for
 * names to be resolved again, and for a person to tell clients.
 */
export const MOVE_OVER_MS = 60_000;

export interface TrafficByServiceOptions {
  readonly gateway: MovableTraffic;
  readonly replicas: MovableTraffic;
  readonly now: () => Date;
  /** Asks for another pass over a service. */
  readonly wake: (service: Key, afterMs: number) => void;
}

/** Whether requests go to every version of a split that they should go to, and to no other. */
const takes = (route: RouteFacts, { backends }: TrafficSplit): boolean =>
  route.state === 'Programmed' &&
  Object.keys(route.weights).length === backends.length &&
  backends.every(({ revision }) => (route.weights[revision] ?? 0) > 0);

/**
 * The provider that a service asks for. One that it asked for before keeps its requests, at the same weights, until
 * the new one has taken them for a while: no moment is without a way in, and a rollback closes both.
 */
export class TrafficByService implements TrafficProvider {
  readonly #options: TrafficByServiceOptions;

  constructor(options: TrafficByServiceOptions) {
    this.#options = options;
  }

  async read(infs: Stored<InferenceService>, signal: AbortSignal): Promise<TrafficState> {
    const { wanted, other } = this.#providers(infs);
    const state = await wanted.read(infs, signal);
    const url = infs.status?.url;
    const isMoving = state.route.state !== 'Programmed' && other.holds(infs) !== undefined;
    return isMoving && url !== undefined ? { ...state, url } : state;
  }

  async apply(infs: Stored<InferenceService>, split: TrafficSplit, signal: AbortSignal): Promise<void> {
    const { wanted, other } = this.#providers(infs);
    try {
      await wanted.apply(infs, split, signal);
    } catch (error) {
      // A way in that can't be written must not keep requests of the other at a version that was taken back.
      if (other.holds(infs) !== undefined) await other.apply(infs, split, signal);
      throw error;
    }
    if (other.holds(infs) === undefined) return;
    const waitMs = await this.#waitMs(infs, wanted, split, signal);
    if (waitMs === 0) return other.remove(infs, signal);
    if (waitMs !== undefined) this.#options.wake(keyOf(infs), waitMs);
    return other.apply(infs, split, signal);
  }

  forget(service: Key): void {
    this.#options.gateway.forget(service);
    this.#options.replicas.forget(service);
  }

  /** Milliseconds until the old way in may go; undefined: the new one does not take the requests yet. */
  async #waitMs(
    infs: Stored<InferenceService>,
    wanted: MovableTraffic,
    split: TrafficSplit,
    signal: AbortSignal,
  ): Promise<number | undefined> {
    const since = wanted.holds(infs)?.metadata.creationTimestamp;
    if (since === undefined || !takes((await wanted.read(infs, signal)).route, split)) return undefined;
    return Math.max(0, Date.parse(since) + MOVE_OVER_MS - this.#options.now().getTime());
  }

  #providers({ spec }: InferenceService): { readonly wanted: MovableTraffic; readonly other: MovableTraffic } {
    const { gateway, replicas } = this.#options;
    return spec.traffic.provider === 'Replicas'
      ? { wanted: replicas, other: gateway }
      : { wanted: gateway, other: replicas };
  }
}

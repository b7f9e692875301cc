import type { InferenceService } from '../api/kinds.ts';
import type { RouteFacts } from '../domain/rollout/world.ts';
import type { Key } from '../kube/resource.ts';
import type { KubeObject, Stored } from '../kube/wire.ts';
import type { RouteSplit } from '../render/route.ts';

export interface TrafficState {
  readonly route: RouteFacts;
  /** Where to send requests, once it is known. */
  readonly url?: string;
}

/** How requests are to be split. Weights add up to 10,000; no backend: nothing serves yet. */
export type TrafficSplit = RouteSplit;

/**
 * What splits the requests of a service between its revisions. A provider is held to contract.suite.ts; the rollout
 * never asks which one it is.
 */
export interface TrafficProvider {
  /**
   * What the data plane says it does with the requests: from caches, and from the server where these can't be trusted,
   * as at the first look and right after a write.
   */
  read(infs: Stored<InferenceService>, signal: AbortSignal): Promise<TrafficState>;
  /**
   * Makes the split so, in one write, and in none when it is so already. A revision that is not named gets nothing
   * afterwards, sticky sessions included.
   */
  apply(infs: Stored<InferenceService>, split: TrafficSplit, signal: AbortSignal): Promise<void>;
  /** Forgets a service that was deleted. */
  forget(service: Key): void;
}

/** A provider that a service can move away from in mid-life. */
export interface MovableTraffic extends TrafficProvider {
  /** Our object that splits the requests of a service now, as cached. */
  holds(infs: Stored<InferenceService>): Stored<KubeObject> | undefined;
  /** Deletes it. No object is no error. */
  remove(infs: Stored<InferenceService>, signal: AbortSignal): Promise<void>;
}

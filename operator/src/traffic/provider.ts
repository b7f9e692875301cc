import type { InferenceService } from '../api/kinds.ts';
import type { Backend } from '../domain/rollout/weights.ts';
import type { HeaderRoute, RouteFacts } from '../domain/rollout/world.ts';
import type { Stored } from '../kube/wire.ts';

export interface TrafficState {
  readonly route: RouteFacts;
  /** Where to send requests, once it is known. */
  readonly url?: string;
}

/** How requests are to be split. Weights add up to 10,000; no backend: nothing serves yet. */
export interface TrafficSplit {
  readonly backends: readonly Backend[];
  /** Requests that go by header, first fit first. */
  readonly routes: readonly HeaderRoute[];
}

/**
 * What splits the requests of a service between its revisions. A provider is held to contract.suite.ts; the rollout
 * never asks which one it is.
 */
export interface TrafficProvider {
  /** What the data plane says it does with the requests. From caches; never fails. */
  read(infs: Stored<InferenceService>): TrafficState;
  /**
   * Makes the split so, in one write, and in none when it is so already. A revision that is not named gets nothing
   * afterwards, sticky sessions included.
   */
  apply(infs: Stored<InferenceService>, split: TrafficSplit, signal: AbortSignal): Promise<void>;
}

import type { EvidencePoll } from '@slipway/crds/contract';
import type { RevisionEvidence } from '../domain/rollout/world.ts';
import type { Key } from '../kube/resource.ts';

export interface PodAddress {
  readonly uid: string;
  readonly ip: string;
  readonly revision: string;
  readonly name: string;
}

export interface EvidenceQuestion {
  readonly service: Key;
  /** Name of the model that its pods serve. */
  readonly model: string;
  /** The rollout that is judged, and when it began: what pods counted before is no evidence about it. */
  readonly rolloutID: string;
  readonly startedAt: Date;
  /** Names what the candidate is shown to. A new name begins a new window for `sinceStep`. */
  readonly step: string;
  /** When the step in force began: blocks of recent evidence are counted from then, over restarts of the operator too. */
  readonly stepStartedAt: Date;
  /** Revisions of the two sides. */
  readonly candidate: string;
  readonly stable?: string;
  /** Bearer token of the admin port of the service's pods. */
  readonly token: string;
  readonly pods: readonly PodAddress[];
  /** Latencies beyond which the guards call a request slow: their batches are kept for the design effect. */
  readonly thresholdsMs: readonly number[];
  /** Whether a guard looks at predictions: their bins are the largest part of what is kept. */
  readonly predictions: boolean;
  /** Id of the shadow order in force: counts of any other are no evidence. */
  readonly shadowOrder?: string;
  /** What a pod is told with the question. undefined: nothing, it goes on as it does. */
  readonly poll: (pod: PodAddress) => EvidencePoll | undefined;
}

/** Where evidence about revisions comes from. */
export interface EvidenceSource {
  /** Whether it asks the pods themselves: they hear what they are told with the question, and of no other source. */
  readonly asksPods: boolean;
  /** Evidence by revision, for each revision of the pods asked about. A pod that can't be read is left out; never fails. */
  read(question: EvidenceQuestion, signal: AbortSignal): Promise<Readonly<Record<string, RevisionEvidence>>>;
  /** Tells pods something at once and waits for no answer longer than for evidence. Never fails. */
  tell(pods: readonly PodAddress[], token: string, told: EvidencePoll, signal: AbortSignal): Promise<void>;
  /** Drops what is kept about a service. */
  forget(service: Key): void;
}

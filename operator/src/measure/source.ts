import type { RevisionEvidence } from '../domain/rollout/world.ts';
import type { Key } from '../kube/resource.ts';

export interface PodAddress {
  readonly uid: string;
  readonly ip: string;
  readonly revision: string;
}

export interface EvidenceQuestion {
  readonly service: Key;
  /** The rollout that is judged, and when it began: what pods counted before is no evidence about it. */
  readonly rolloutID: string;
  readonly startedAt: Date;
  /** Names the weights in force. A new name begins a new window for `sinceStep`. */
  readonly step: string;
  /** Bearer token of the admin port of the service's pods. */
  readonly token: string;
  readonly pods: readonly PodAddress[];
}

/** Where evidence about revisions comes from. */
export interface EvidenceSource {
  /** Evidence by revision, for each revision of the pods asked about. A pod that can't be read is left out; never fails. */
  read(question: EvidenceQuestion, signal: AbortSignal): Promise<Readonly<Record<string, RevisionEvidence>>>;
  /** Drops what is kept about a service. */
  forget(service: Key): void;
}

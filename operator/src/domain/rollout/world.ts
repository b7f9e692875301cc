import type { InferenceServiceSpec, InferenceServiceStatus } from '@slipway/crds';
import type { Tally } from '../analysis/tally.ts';

export type StableStatus = NonNullable<InferenceServiceStatus['stable']>;
export type CandidateStatus = NonNullable<InferenceServiceStatus['candidate']>;
export type GuardStatus = NonNullable<CandidateStatus['guards']>[number];
export type Rejection = NonNullable<InferenceServiceStatus['rejected']>[number];
export type HistoryEntry = NonNullable<InferenceServiceStatus['history']>[number];

/** A cause in a word (PascalCase, becomes a condition reason) and in a sentence for people. */
export interface Cause {
  readonly reason: string;
  readonly message: string;
}

/**
 * What spec.model names. Only a Ready version may get a pod or a request. Missing: no such ModelVersion. Pending: its
 * checks run. Refused: its checks said no, and nothing but another version will help.
 */
export interface Target {
  readonly name: string;
  readonly version: string;
  readonly state: 'Ready' | 'Pending' | 'Refused' | 'Missing';
  /** Why it is not Ready. */
  readonly message: string;
  /** Known as soon as the ModelVersion exists, checked or not. */
  readonly digest?: string;
  readonly revision?: string;
}

/** Why pods of a revision do not serve. Fatal: they died of it repeatedly and will again. */
export interface Trouble extends Cause {
  readonly fatal: boolean;
}

/** The pods of one revision, as its Deployment and they say. */
export interface RevisionFacts {
  /** Pods asked for. */
  readonly replicas: number;
  /** Pods that pass their readiness probe and belong to the current template. */
  readonly ready: number;
  readonly trouble?: Trouble;
}

/**
 * What the gateway made of our route. Absent: there is none. Programmed: every parent accepted its current generation,
 * and `weights` is what it says. Pending: not told yet. Refused: told, and it will not work as it is.
 */
export type RouteFacts =
  | { readonly state: 'Absent' | 'Pending' }
  | { readonly state: 'Programmed'; readonly weights: Readonly<Record<string, number>> }
  | ({ readonly state: 'Refused' } & Cause);

/** What the pods of one revision report about themselves. */
export interface RevisionEvidence {
  /** Pods that answered within the last seconds, of those that are ready. */
  readonly answering: number;
  /** Digests they report, without repeats. */
  readonly digests: readonly string[];
  /** Requests since the rollout began. */
  readonly sinceRollout: Tally;
  /** Requests since the current weights were programmed. */
  readonly sinceStep: Tally;
  /** Everything its pods counted in their lives: what a version that gets no traffic any more is remembered by. */
  readonly lifetime: Tally;
  /** Seconds that sinceStep covers. */
  readonly stepSeconds: number;
}

/** Everything a pass decides on: spec, stored status, and what was observed. Plain data; the same world gives the same plan. */
export interface World {
  readonly now: Date;
  readonly generation: number;
  /** Milliseconds between two looks while a rollout is live. */
  readonly guardPeriodMs: number;
  readonly spec: InferenceServiceSpec;
  readonly status: InferenceServiceStatus;
  /** Annotations by which a person steers. */
  readonly asked: { readonly approve?: string; readonly retry?: string };
  readonly target: Target;
  readonly revisions: Readonly<Record<string, RevisionFacts>>;
  readonly route: RouteFacts;
  readonly evidence: Readonly<Record<string, RevisionEvidence>>;
  readonly url?: string;
}

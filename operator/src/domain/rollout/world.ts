import type { InferenceServiceSpec, InferenceServiceStatus } from '@slipway/crds';
import type { Batches, Tally } from '../analysis/tally.ts';

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
  /**
   * Ready addresses in the EndpointSlices of its Service, which a gateway learns a moment after the pods are ready.
   * Absent: not read.
   */
  readonly endpoints?: number;
  /** Since when no pod of it is ready while one of another version is. Absent where none was for longer than is known. */
  readonly unreadySince?: Date;
  readonly trouble?: Trouble;
}

/** Requests with all of these headers, names in lower case, go to this revision whatever the weights say. */
export interface HeaderRoute {
  readonly header: Readonly<Record<string, string>>;
  readonly revision: string;
}

/**
 * What the data plane made of our split. Absent: there is none. Programmed: every parent accepted its current
 * generation, and `weights` and `routes` are what it says; without `routes` it knows no headers, and with `pods` the
 * weights are shares of these ready pods. Pending: not told yet. Refused: told, and it will not work as it is.
 * `caveat` is a sentence on what may be wrong although nobody refused anything.
 */
export type RouteFacts =
  | { readonly state: 'Absent' | 'Pending'; readonly caveat?: string }
  | {
      readonly state: 'Programmed';
      readonly weights: Readonly<Record<string, number>>;
      readonly routes?: readonly HeaderRoute[];
      readonly pods?: Readonly<Record<string, number>>;
      readonly caveat?: string;
    }
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
  /**
   * Requests of the last 5 to 10 seconds, which a fault that begins in mid-step fills at once: time since the step
   * began is cut into blocks of 5 s, and window j, counted from 1, is everything since block j - 1 began. Absent in the
   * first block, where sinceStep is no older.
   */
  readonly recent?: { readonly window: number; readonly tally: Tally; readonly seconds: number };
  /** Everything its pods counted in their lives: what a version that gets no traffic any more is remembered by. */
  readonly lifetime: Tally;
  /** How many processes counted that, those that ended since included. Absent: not told. */
  readonly processes?: number;
  /** Seconds that sinceStep covers. */
  readonly stepSeconds: number;
  /** true: all of its pods count copies for a second opinion apart. Others would count them like any request. */
  readonly takesCopies?: true;
  /**
   * Predictions since the rollout began, frozen at the last look: looks come when the smaller of candidate and stable
   * has 100, 200, 400, … rows, and `look` counts them from 1. Absent before the first.
   */
  readonly predictionLook?: PredictionLook;
  /**
   * Names of the predictions that its pods count; empty: its artifact has no baseline.json, so none ever will be.
   * Absent: no pod has told yet.
   */
  readonly predictions?: readonly string[];
  /** What the pods of the stable version found by comparing answers, under the shadow order in force. */
  readonly shadow?: ShadowTally;
}

/** Bin counts of one prediction of the model at a look, of both versions over the same time. */
export interface PredictionLook {
  readonly look: number;
  readonly predictions: readonly {
    readonly name: string;
    readonly candidate: readonly number[];
    readonly stable: readonly number[];
  }[];
}

/**
 * Added up over the pods of the stable version. `batches` are those of disagreed + failed of compared + failed, for the
 * design effect: a copy without an answer counts as one that differs.
 */
export interface ShadowTally {
  readonly compared: number;
  readonly disagreed: number;
  readonly skipped: number;
  readonly failed: number;
  readonly batches: Batches;
  readonly segments: Readonly<Record<string, { readonly compared: number; readonly disagreed: number }>>;
  /** The first disagreements, redacted: at most 5. */
  readonly examples: readonly { readonly output: string; readonly live: string; readonly candidate: string }[];
}

/**
 * What was learned outside the pods for one guard, `prometheus` or `job`, for the rollout and step in force.
 * Rates: counts since the step began. Values: a plain number's looks in a row beyond the limit (bad) or within it
 * (good). Ended: a job's exit. Untried: a query as it is worded now, while pods come up. Unreachable: nothing can be learned now. Invalid: nothing ever will, until the spec
 * changes; `message` says what to write instead.
 */
export type ExternalFinding =
  | { readonly kind: 'Rates'; readonly bad: number; readonly total: number; readonly batches: Batches }
  | { readonly kind: 'Value'; readonly value: number; readonly badInARow: number; readonly goodInARow: number }
  | { readonly kind: 'Running' }
  | { readonly kind: 'Untried' }
  | { readonly kind: 'Ended'; readonly passed: boolean; readonly message: string }
  | { readonly kind: 'Unreachable' | 'Invalid'; readonly message: string };

/** Everything a pass decides on: spec, stored status, and what was observed. Plain data; the same world gives the same plan. */
export interface World {
  readonly now: Date;
  readonly generation: number;
  /** Of the InferenceService, for sentences that tell what to type. */
  readonly name?: string;
  /** Milliseconds between two looks while a rollout is live. */
  readonly guardPeriodMs: number;
  /** Whether evidence is asked of the pods themselves, which hear with the question what to copy and whom to keep. */
  readonly podsAreAsked: boolean;
  readonly spec: InferenceServiceSpec;
  readonly status: InferenceServiceStatus;
  /** Annotations by which a person steers, as written: contract.ts ANNOTATIONS says what each holds. */
  readonly asked: {
    readonly retry?: string;
    readonly pause?: string;
    readonly promote?: string;
    readonly abort?: string;
    readonly rollback?: string;
  };
  readonly target: Target;
  /** status.previous as a target, where there is one: where a rollback after the promotion leads. */
  readonly previous?: Target;
  readonly revisions: Readonly<Record<string, RevisionFacts>>;
  readonly route: RouteFacts;
  readonly evidence: Readonly<Record<string, RevisionEvidence>>;
  /** By name of the guard; guards that ask the pods have none. */
  readonly external?: Readonly<Record<string, ExternalFinding>>;
  readonly url?: string;
}

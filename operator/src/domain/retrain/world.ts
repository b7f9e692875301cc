import type { InferenceServiceStatus, TrainingJobStatus } from '@slipway/crds';
import type { InferenceService, ModelVersion, TrainingJob } from '../../api/kinds.ts';
import type { Observation } from '../../kube/conditions.ts';
import type { EventNote } from '../../kube/contracts.ts';
import type { Outcome } from '../../kube/outcome.ts';
import type { Stored } from '../../kube/wire.ts';

export type RetrainStatus = NonNullable<InferenceServiceStatus['retraining']>;
export type Run = NonNullable<RetrainStatus['runs']>[number];
export type Trigger = Run['trigger'];

/** Everything a decision about the retraining of one service may look at. */
export interface RetrainWorld {
  readonly infs: Stored<InferenceService>;
  readonly now: Date;
  /** The TrainingJob that spec.retrain.from names. */
  readonly pattern: Stored<TrainingJob> | undefined;
  /** TrainingJobs of this service by name: those of the runs that the status tells of, and the next one. */
  readonly trainingJobs: ReadonlyMap<string, Stored<TrainingJob>>;
  /** ModelVersions by name: those that the runs made, as the status or their provenance tells. */
  readonly modelVersions: ReadonlyMap<string, ModelVersion>;
  /** The version of the model that services which follow Production serve. */
  readonly current: ModelVersion | undefined;
  /** Name of the n-th retraining. */
  readonly nameOf: (number: number) => string;
}

export interface RetrainPlan {
  /** What to create, before the status is written: a pass that dies in between finds it by its name. */
  readonly create?: TrainingJob;
  /** undefined: the service asks for no retraining, and its status is to say nothing of it. */
  readonly status: RetrainStatus | undefined;
  readonly condition: Observation | undefined;
  readonly events: readonly EventNote[];
  readonly next: Outcome;
}

/** Runs that the status keeps. */
export const MOST_RUNS = 32;
export const NO_RUNS: RetrainStatus = { number: 0, rejections: 0 };

/** A run that may still lead to something. */
export const UNDER_WAY: readonly Run['outcome'][] = ['Running', 'Verifying', 'RollingOut', 'AwaitingApproval'];

export const acceleratorSecondsOf = (status: TrainingJobStatus | undefined): number => status?.acceleratorSeconds ?? 0;

import type { TrainingJobStatus } from '@slipway/crds';
import type { Progress } from '@slipway/crds/contract';
import type { Job, Pod } from '../../api/builtin.ts';
import type { ModelVersion, TrainingJob } from '../../api/kinds.ts';
import type { Observation } from '../../kube/conditions.ts';
import type { EventNote } from '../../kube/contracts.ts';
import type { Outcome } from '../../kube/outcome.ts';
import type { Stored } from '../../kube/wire.ts';
import type { JobWorld } from '../jobs/jobWorld.ts';
import type { AttemptOrder } from './startAttempt.ts';

/** What is left of other attempts: Jobs that have not ended, and pods. */
export interface Leftovers {
  readonly jobs: readonly Stored<Job>[];
  readonly pods: readonly Stored<Pod>[];
}

/** Everything a decision about one TrainingJob may look at. */
export interface World {
  readonly tj: Stored<TrainingJob>;
  readonly now: Date;
  /** The Job of the current attempt (status.attempt). */
  readonly attempt: JobWorld;
  readonly leftovers: Leftovers;
  readonly publish: JobWorld;
  /** The ModelVersion of the name that this job makes, read from the server once there is an artifact to name. */
  readonly modelVersion: Stored<ModelVersion> | undefined;
  /** What the agent of pod 0 answered in this pass, if it was asked. */
  readonly report: Progress | undefined;
  /** Why no node takes the pods, node by node class; read only while none does. */
  readonly placement: string | undefined;
  /** Nodes of pods of ours that are lost, and how; read only while a pod looks as if its node were. */
  readonly lostNodes: ReadonlyMap<string, string>;
  /** What the queue says of the current attempt, while it waits there. */
  readonly queue: string | undefined;
}

export type Action =
  | ({ readonly kind: 'StartAttempt' } & AttemptOrder)
  | { readonly kind: 'StartPublish'; readonly version: string; readonly attempt: number }
  | { readonly kind: 'DeleteJob'; readonly job: Stored<Job> }
  | { readonly kind: 'DeletePod'; readonly pod: Stored<Pod> }
  | { readonly kind: 'DeleteSelf' }
  | { readonly kind: 'CreateModelVersion'; readonly modelVersion: ModelVersion };

/** status without what every pass writes the same way. */
export type BareStatus = Omit<TrainingJobStatus, 'conditions' | 'observedGeneration'>;

/** What a pass does: actions in order, then one status write, then events. */
export interface Plan {
  /** Choose a version first. That writes the status under a lock of its own, so nothing else of this plan is done. */
  readonly claimVersion?: true;
  readonly actions: readonly Action[];
  readonly status: BareStatus;
  readonly observed: readonly Observation[];
  readonly events: readonly EventNote[];
  readonly next: Outcome;
}

import type { ModelVersionStatus } from '@slipway/crds';
import type { Job } from '../../api/builtin.ts';
import type { InferenceService, ModelVersion } from '../../api/kinds.ts';
import type { Observation } from '../../kube/conditions.ts';
import type { EventNote } from '../../kube/contracts.ts';
import type { Outcome } from '../../kube/outcome.ts';
import type { Stored } from '../../kube/wire.ts';
import type { JobWorld } from '../jobs/jobWorld.ts';
import type { Needs } from './needs.ts';

/** Everything that a pass over a version decides on. Plain data; the same world gives the same plan. */
export interface World {
  readonly mv: Stored<ModelVersion>;
  readonly now: Date;
  readonly verification: JobWorld;
  /** uid of the Job that the operator made to verify it, if any. Another's of that name is not read. */
  readonly verifier: string | undefined;
  /** The Job that deletes its files. */
  readonly removal: JobWorld;
  /** Looked up only before a verification starts. */
  readonly needs: Needs;
  /** Of the same namespace. */
  readonly services: readonly InferenceService[];
  /** The other versions of the model, of the same namespace. */
  readonly siblings: readonly ModelVersion[];
  /** Every other ModelVersion; read only where spec.retention is set. */
  readonly others: readonly ModelVersion[];
  /** Why a Job could not be made: its name is in use. */
  readonly nameTaken?: string;
}

export type Action =
  | { readonly kind: 'StartVerification' | 'StartRemoval' }
  | { readonly kind: 'DeleteJob'; readonly job: Stored<Job> };
export type BareStatus = Omit<ModelVersionStatus, 'conditions' | 'observedGeneration'>;

export interface Plan {
  readonly actions: readonly Action[];
  readonly status: BareStatus;
  readonly observed: readonly Observation[];
  readonly events: readonly EventNote[];
  readonly next: Outcome;
}

/** A condition as it is stored, fit to be observed again. */
export function storedCondition({ mv }: Pick<World, 'mv'>, type: string): Observation | undefined {
  const found = mv.status?.conditions?.find((c) => c.type === type);
  if (found === undefined) return undefined;
  const { status, reason, message } = found;
  return { type, status, reason, message };
}

/** A finished Job is deleted in a pass of its own, after its result is written down. */
export const dropJob = ({ job }: JobWorld): Action[] =>
  job === undefined || job.metadata.deletionTimestamp !== undefined ? [] : [{ kind: 'DeleteJob', job }];

/** Condition by which a version tells that retention takes its files. */
export const FILES_KEPT = 'FilesKept';

/** From the first Job on. One that was lost is made again: what it left of the files is no version any more. */
export const removalHasBegun = (world: Pick<World, 'mv'>): boolean =>
  ['Removing', 'RemovalFailed'].includes(storedCondition(world, FILES_KEPT)?.reason ?? '');

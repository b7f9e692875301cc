import type { InferenceService, ModelVersion, TrainingJob } from '../src/api/kinds.ts';
import type { Goal } from './arguments.ts';
import { find, isTrue } from './render/conditions.ts';

export type Watched = InferenceService | ModelVersion | TrainingJob;

/** Where an object stands on the way to a goal. `never` ends a wait at once, with the reason. */
export type Standing =
  | { readonly kind: 'reached' }
  | { readonly kind: 'waiting'; readonly why: string }
  | { readonly kind: 'never'; readonly why: string };

const conditionText = (object: Watched, type: string): string => {
  const condition = find(object.status?.conditions, type);
  return condition === undefined ? `${type} is not reported yet` : `${type}=${condition.status}: ${condition.message}`;
};

const stalledWith = (object: Watched, reason: string): boolean => {
  const stalled = find(object.status?.conditions, 'Stalled');
  return stalled?.status === 'True' && stalled.reason === reason;
};

/** A status of an older generation says nothing about the spec the caller asks about. */
const isCurrent = ({ metadata, status }: Watched): boolean =>
  (status?.observedGeneration ?? -1) >= (metadata.generation ?? 0);

function wayOut(object: Watched, goal: Goal): string | undefined {
  const conditions = object.status?.conditions;
  if (goal === 'RolledBack') {
    return isTrue(conditions, 'RolloutComplete') ? 'the rollout completed instead' : undefined;
  }
  if (goal === 'Ready' && object.kind === 'InferenceService') return undefined;
  return isTrue(conditions, 'Stalled') ? conditionText(object, 'Stalled') : undefined;
}

/** The condition that tells of a goal. A TrainingJob is Ready once its ModelVersion exists, which is its success. */
const conditionOf = (goal: Goal): string => ({ Succeeded: 'Ready', RolledBack: 'Stalled' })[goal as string] ?? goal;

const hasReached = (object: Watched, goal: Goal): boolean =>
  goal === 'RolledBack' ? stalledWith(object, 'RolledBack') : isTrue(object.status?.conditions, conditionOf(goal));

/** Pure: the same object always stands at the same place. */
export function standing(object: Watched, goal: Goal): Standing {
  if (!isCurrent(object)) return { kind: 'waiting', why: 'the operator has not seen the latest spec yet' };
  if (hasReached(object, goal)) return { kind: 'reached' };
  const end = wayOut(object, goal);
  if (end !== undefined) return { kind: 'never', why: end };
  return { kind: 'waiting', why: conditionText(object, conditionOf(goal)) };
}

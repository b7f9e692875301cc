import type { InferenceServiceSpec, RolloutStep } from '@slipway/crds';
import { parseDuration } from '../duration.ts';
import { isSpecFault } from './specFault.ts';
import type { CandidateStatus, World } from './world.ts';

type Steps = InferenceServiceSpec['rollout']['steps'];

/**
 * The step at an index. Past the end there is always {weight: 100}: a list that a person shortens in mid-rollout still
 * leads to the end.
 */
export const stepAt = (steps: Steps, index: number): RolloutStep => steps[index] ?? { weight: 100 };

export const isLastStep = (steps: Steps, index: number): boolean =>
  index >= steps.length - 1 && stepAt(steps, index).weight === 100;

/** What is known of a rollout by which an approval is told from those of others. */
interface Approved {
  readonly spec: Pick<InferenceServiceSpec, 'approvals'>;
  readonly status: { readonly rolloutID?: string | undefined };
}

/**
 * The approvals of an approval step, one for each person: bound to this rollout, this step and this digest, so no old one
 * counts and none for other content. Who may write them is the admission policy's to check.
 */
export function approvalsOf({ spec, status }: Approved, candidate: Pick<CandidateStatus, 'step' | 'digest'>) {
  const given = (spec.approvals ?? []).filter(
    ({ rolloutID, step, digest }) =>
      rolloutID === status.rolloutID && step === candidate.step && digest === candidate.digest,
  );
  return given.filter(({ by }, i) => given.findIndex((other) => other.by === by) === i);
}

/** People who must approve a step, each of another name. */
export const peopleFor = ({ people = 1 }: RolloutStep): number => people;

export const isApproved = (world: World, candidate: CandidateStatus): boolean =>
  approvalsOf(world, candidate).length >= peopleFor(stepAt(world.spec.rollout.steps, candidate.step));

/** Never below 0: a clock that was set back makes nothing younger than new, or a step without a time would wait for it. */
export const elapsedMs = (since: string | undefined, now: Date): number =>
  since === undefined ? 0 : Math.max(0, now.getTime() - Date.parse(since));

/** Milliseconds until the step has lasted as long as it must. */
export const stepRemainsMs = ({ spec, now }: World, candidate: CandidateStatus): number => {
  const required = parseDuration(stepAt(spec.rollout.steps, candidate.step).for ?? '0s');
  return Math.max(0, required - elapsedMs(candidate.stepStartedAt, now));
};

export const bakeRemainsMs = ({ spec, now }: World, candidate: CandidateStatus): number =>
  Math.max(0, parseDuration(spec.rollout.bake) - elapsedMs(candidate.stepStartedAt, now));

/**
 * Whether the last pass kept a candidate for a person, a window or a spec that nobody can carry out. The deadline is for
 * pods: one that ran on meanwhile would end a rollout the moment its spec is mended and asks for one more.
 */
export const wasHeld = ({ status }: Pick<World, 'status'>): boolean =>
  (status.conditions ?? []).some(
    ({ type, status: holds, reason }) =>
      holds === 'True' && (type === 'Paused' || (type === 'Stalled' && isSpecFault(reason))),
  );

/** Pods of a candidate that is made ready have this long, anew after it was held. */
export const deadlinePassed = (world: World, { stepStartedAt, startedAt }: CandidateStatus): boolean =>
  !wasHeld(world) &&
  elapsedMs(stepStartedAt ?? startedAt, world.now) > parseDuration(world.spec.rollout.progressDeadline);

/** The same for a step that asks for more pods, from its beginning. */
export const stepDeadlinePassed = ({ spec, now }: World, candidate: CandidateStatus): boolean =>
  elapsedMs(candidate.stepStartedAt, now) > parseDuration(spec.rollout.progressDeadline);

/** Whether the step has lasted so long that guards that are blind or inconclusive may roll back. */
export const patienceIsOver = ({ spec, now }: World, candidate: CandidateStatus): boolean =>
  elapsedMs(candidate.stepStartedAt, now) > parseDuration(spec.rollout.patience);

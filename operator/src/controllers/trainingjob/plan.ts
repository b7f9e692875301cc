import { jobEnd } from '../../domain/workload/jobEnd.ts';
import { fail } from './fail.ts';
import { queued, startAttempt, watch } from './planAttempt.ts';
import { newGang, tornApart } from './planCameAgain.ts';
import { claim } from './planClaim.ts';
import { causeOfEnd, weigh } from './planFailure.ts';
import { keep } from './planFinished.ts';
import { suspend } from './planSuspended.ts';
import { finishAttempt, isTrained, planTrained, waitsToBeAsked } from './planTrained.ts';
import { deadlineAt } from './timers.ts';
import type { Plan, World } from './world.ts';

export { PROGRESS_MS } from './planAttempt.ts';

interface PlanRule {
  readonly name: string;
  /** The plan of this rule, or undefined where it has nothing to say. */
  readonly plan: (world: World) => Plan | undefined;
}

const when =
  (test: (world: World) => boolean, plan: (world: World) => Plan): PlanRule['plan'] =>
  (world) =>
    test(world) ? plan(world) : undefined;

const isFinished = ({ tj }: World): boolean => tj.status?.phase === 'Succeeded' || tj.status?.phase === 'Failed';

const exceedDeadline = (world: World): Plan =>
  fail(
    world,
    'DeadlineExceeded',
    `The job did not finish within ${world.tj.spec.failure.deadline} of its first start; its pods are deleted.`,
  );

/** A suspended job may be a pattern that never runs: it would hold a version that nothing is ever made of. */
const lacksVersion = (world: World): boolean =>
  world.tj.status?.version === undefined && world.tj.spec.suspend !== true && !waitsToBeAsked(world);

const ended = ({ attempt: { job } }: World, kind: 'Complete' | 'Failed'): boolean =>
  job !== undefined && jobEnd(job)?.kind === kind;

const isSuspendedJob = ({ attempt: { job } }: World): boolean =>
  job?.spec?.suspend === true && job.metadata.deletionTimestamp === undefined;

const weighEnd: PlanRule['plan'] = (world) => {
  const cause = causeOfEnd(world);
  return cause && weigh(world, cause);
};

/** First match wins. */
export const TRAINING_RULES: readonly PlanRule[] = [
  { name: 'a finished job stays as it is, until it is to go', plan: when(isFinished, keep) },
  {
    name: 'a job over its deadline fails',
    plan: when((world) => (deadlineAt(world) ?? Number.POSITIVE_INFINITY) <= world.now.getTime(), exceedDeadline),
  },
  { name: 'a trained job publishes', plan: when(isTrained, planTrained) },
  {
    name: 'a job without a version claims one, unless it is suspended or is to be asked first',
    plan: when(lacksVersion, claim),
  },
  { name: 'an attempt that succeeded ends training', plan: when((world) => ended(world, 'Complete'), finishAttempt) },
  {
    name: 'an attempt that failed is weighed',
    plan: (world) => (ended(world, 'Failed') ? weighEnd(world) : undefined),
  },
  { name: 'a suspended job has no pods', plan: when(({ tj }) => tj.spec.suspend === true, suspend) },
  { name: 'a gang that its queue tore apart starts anew', plan: tornApart },
  { name: 'a job in a queue waits', plan: when(isSuspendedJob, queued) },
  { name: 'a job that its queue took back and let go unseen has a new gang', plan: newGang },
  { name: 'an attempt that is over for another reason is weighed', plan: weighEnd },
  {
    name: 'an attempt that has no Job is started',
    plan: when(
      ({ attempt: { job } }) => job === undefined || job.metadata.deletionTimestamp !== undefined,
      startAttempt,
    ),
  },
];

/** What one pass does about one TrainingJob. Pure and total. */
export function plan(world: World): Plan {
  for (const rule of TRAINING_RULES) {
    const decided = rule.plan(world);
    if (decided !== undefined) return decided;
  }
  return watch(world);
}

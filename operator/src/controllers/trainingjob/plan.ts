import { parseDuration } from '../../domain/duration.ts';
import { consequenceOf } from '../../domain/training/failurePolicy.ts';
import { jobEnd } from '../../domain/workload/jobEnd.ts';
import { failuresOf } from '../../domain/workload/podEnd.ts';
import { podWait } from '../../domain/workload/podWait.ts';
import { again, type Outcome, settled, soonest } from '../../kube/outcome.ts';
import { TRAIN_CONTAINER } from '../../render/trainingJob.ts';
import { fail, stopRunning } from './fail.ts';
import { normal, warning } from './notes.ts';
import { isRunning, observedStatus, placementOf } from './observe.ts';
import { underWay } from './outlook.ts';
import { planPublishing } from './planPublishing.ts';
import type { Plan, World } from './world.ts';

/** Between two looks at the progress of a run. */
export const PROGRESS_MS = 5_000;

interface PlanRule {
  readonly name: string;
  readonly when: (world: World) => boolean;
  readonly plan: (world: World) => Plan;
}

const isFinished = ({ tj }: World): boolean => tj.status?.phase === 'Succeeded' || tj.status?.phase === 'Failed';

/** When the deadline strikes, in ms since the epoch; undefined without one or before the first start. */
function deadlineAt(world: World): number | undefined {
  const { deadline } = world.tj.spec.failure;
  const { startedAt } = observedStatus(world);
  return deadline === undefined || startedAt === undefined
    ? undefined
    : Date.parse(startedAt) + parseDuration(deadline);
}

const untilDeadline = (world: World): Outcome => {
  const at = deadlineAt(world);
  return at === undefined ? settled : again(Math.max(0, at - world.now.getTime()), 'the deadline strikes');
};

/** A finished job keeps its verdict, whatever becomes of its children: neither expiry nor a person brings a run back. */
const keep: PlanRule['plan'] = (world) => {
  const { conditions = [], observedGeneration: _g, ...status } = world.tj.status ?? {};
  const actions = status.phase === 'Failed' ? stopRunning(world) : [];
  return { actions, status, observed: conditions, events: [], next: settled };
};

const claim: PlanRule['plan'] = (world) => ({
  claimVersion: true,
  actions: [],
  status: observedStatus(world),
  observed: underWay('ClaimingVersion', `Choosing the version of ${world.tj.spec.model.name} to make.`),
  events: [],
  next: settled,
});

const exceedDeadline: PlanRule['plan'] = (world) =>
  fail(
    world,
    'DeadlineExceeded',
    `The job did not finish within ${world.tj.spec.failure.deadline} of its first start; its pods are deleted.`,
  );

const startAttempt: PlanRule['plan'] = (world) => {
  const attempt = world.tj.status?.attempt ?? 0;
  const message = `Attempt ${attempt} starts on ${world.tj.spec.nodes} pod(s).`;
  return {
    actions: [{ kind: 'StartAttempt', attempt }],
    status: { ...observedStatus(world), phase: 'Pending', attempt },
    observed: underWay('Pending', message),
    events: [normal('AttemptStarted', message)],
    next: untilDeadline(world),
  };
};

/** A sentence for each way a Job can be gone or silent about its end. */
function jobMessage({ attempt: { job } }: World): string {
  if (job === undefined) return 'The Job of this attempt was deleted before it ended.';
  const end = jobEnd(job);
  return end?.kind === 'Failed' ? `The Job failed (${end.reason}): ${end.message}` : '';
}

const weighFailure: PlanRule['plan'] = (world) => {
  const { spec, status } = world.tj;
  const restarts = status?.restarts ?? 0;
  const consequence = consequenceOf({
    failure: failuresOf(world.attempt.pods, TRAIN_CONTAINER)[0],
    jobMessage: jobMessage(world),
    restarts,
    budget: spec.failure.restarts,
    fatalExitCodes: spec.failure.fatalExitCodes ?? [],
    memoryLimit: spec.resources?.limits?.['memory'],
  });
  if (consequence.kind === 'GiveUp') return fail(world, consequence.reason, consequence.message);
  const { nodes: _previous, placement: _old, ...carried } = observedStatus(world);
  return {
    actions: [],
    // Counted before it is spent: were the Job made first, an operator that dies in between would forget the restart.
    status: { ...carried, phase: 'Pending', attempt: (status?.attempt ?? 0) + 1, restarts: restarts + 1 },
    observed: underWay(consequence.reason, consequence.message),
    events: [warning(consequence.reason, consequence.message)],
    next: again(1, 'the next attempt starts'),
  };
};

const finishAttempt: PlanRule['plan'] = (world) => {
  const message = 'Training succeeded; its output is being published.';
  return {
    actions: [],
    status: { ...observedStatus(world), phase: 'Publishing' },
    observed: underWay('Publishing', message),
    events: [normal('TrainingSucceeded', message)],
    next: again(1, 'publishing starts'),
  };
};

/** Nothing to decide: the pods are on their way, or train. */
const watch: PlanRule['plan'] = (world) => {
  const { tj, attempt } = world;
  const running = attempt.pods.some(isRunning);
  const wait = podWait(attempt.pods);
  const phase = running ? 'Running' : (tj.status?.phase ?? 'Pending');
  const placement = placementOf(world);
  const calm = running
    ? underWay('Training', `Attempt ${tj.status?.attempt ?? 0} trains on ${tj.spec.nodes} pod(s).`)
    : underWay('Pending', pendingMessage(world));
  return {
    actions: [],
    status: { ...observedStatus(world), phase },
    observed: wait === undefined ? calm : underWay(wait.reason, placement ?? wait.message),
    events: running && tj.status?.phase !== 'Running' ? [normal('TrainingStarted', 'The first pod trains.')] : [],
    next: soonest(untilDeadline(world), running ? again(PROGRESS_MS, 'progress is due') : settled),
  };
};

const pendingMessage = ({ attempt: { job, pods } }: World): string =>
  pods.length > 0
    ? 'The pods are being placed and started.'
    : `Job ${job?.metadata.name} has no pods yet; if that lasts, kubectl describe job ${job?.metadata.name} says why (a quota, an admission policy).`;

const ended = (world: World, kind: 'Complete' | 'Failed'): boolean =>
  world.attempt.job !== undefined && jobEnd(world.attempt.job)?.kind === kind;

/** First match wins. */
export const TRAINING_RULES: readonly PlanRule[] = [
  { name: 'a finished job stays as it is', when: isFinished, plan: keep },
  { name: 'a job without a version claims one', when: ({ tj }) => tj.status?.version === undefined, plan: claim },
  {
    name: 'a job over its deadline fails',
    when: (world) => (deadlineAt(world) ?? Number.POSITIVE_INFINITY) <= world.now.getTime(),
    plan: exceedDeadline,
  },
  { name: 'a trained job publishes', when: ({ tj }) => tj.status?.phase === 'Publishing', plan: planPublishing },
  { name: 'an attempt that succeeded ends training', when: (world) => ended(world, 'Complete'), plan: finishAttempt },
  { name: 'an attempt that failed is weighed', when: (world) => ended(world, 'Failed'), plan: weighFailure },
  {
    name: 'an attempt whose Job vanished in mid-run is weighed as a failure',
    when: ({ tj, attempt }) => attempt.job === undefined && tj.status?.phase === 'Running',
    plan: weighFailure,
  },
  {
    name: 'an attempt that has no Job is started',
    when: ({ attempt }) => attempt.job === undefined,
    plan: startAttempt,
  },
];

/** What one pass does about one TrainingJob. Pure and total. */
export const plan = (world: World): Plan => (TRAINING_RULES.find(({ when }) => when(world))?.plan ?? watch)(world);

import { podWait } from '../../domain/workload/podWait.ts';
import { again, type Outcome, settled, soonest } from '../../kube/outcome.ts';
import { betweenAttempts, excluded } from './attemptStatus.ts';
import { clear } from './fail.ts';
import { normal } from './notes.ts';
import { isRunning, observedStatus, placementOf } from './observe.ts';
import { underWay } from './outlook.ts';
import { at, untilDeadline, untilTrouble } from './timers.ts';
import type { Plan, World } from './world.ts';

/** Between two looks at the progress of a run. */
export const PROGRESS_MS = 5_000;
/** Between two looks at what a queue says, at least and at most; that a Job is let go comes by its watch. */
const QUEUE_MS = [1_000, 60_000] as const;
/** Past the time that a pod had to end in, this long is waited for it: then its node is taken for lost. */
const PATIENCE_MS = 30_000;

/** Pods of other attempts that still hold what the next one needs, and until when they are waited for at the latest. */
function waitsFor({ leftovers: { pods }, now }: World): { readonly names: string[]; readonly next: Outcome } {
  const until = (pod: (typeof pods)[number]): number => {
    const ends = pod.metadata.deletionTimestamp;
    return ends === undefined ? Number.POSITIVE_INFINITY : Date.parse(ends) + PATIENCE_MS;
  };
  const holding = pods.filter((pod) => until(pod) > now.getTime());
  const times = holding.map(until).filter(Number.isFinite);
  return {
    names: holding.map(({ metadata }) => metadata.name),
    next: at(times.length === 0 ? undefined : Math.min(...times), now, 'the pods of the last attempt must have ended'),
  };
}

const untilItsTime = ({ tj, now }: World): Outcome =>
  at(Date.parse(tj.status?.nextAttemptAt ?? '') || undefined, now, 'the next attempt starts');

/** Between two attempts: what runs of the last is ended, and its wait goes by. */
function wait(world: World, observed: Plan['observed'], next: Outcome): Plan {
  const { conditions: _c, observedGeneration: _g, ...status } = world.tj.status ?? {};
  return {
    actions: clear(world),
    status: { ...status, phase: 'Pending' },
    observed,
    events: [],
    next: soonest(next, untilDeadline(world)),
  };
}

/** Starts the current attempt, once its time has come and the pods of the one before are gone. */
export function startAttempt(world: World): Plan {
  const { tj } = world;
  const attempt = tj.status?.attempt ?? 0;
  const itsTime = untilItsTime(world);
  if (itsTime.kind === 'again') return wait(world, tj.status?.conditions ?? [], itsTime);
  const { names, next } = waitsFor(world);
  if (names.length > 0) {
    const who = `${names.slice(0, 3).join(', ')}${names.length > 3 ? ` and ${names.length - 3} more` : ''}`;
    return wait(
      world,
      underWay('Pending', `Attempt ${attempt} waits until pods of the last one have ended: ${who}.`),
      next,
    );
  }
  const message = `Attempt ${attempt} starts on ${tj.spec.nodes} pod(s).`;
  const { nextAttemptAt: _n, excludedNodes: _e, ...status } = betweenAttempts(world);
  const excludedNodes = (excluded(world).excludedNodes ?? []).map(({ name }) => name);
  return {
    actions: [...clear(world), { kind: 'StartAttempt', attempt, excludedNodes, now: world.now }],
    status: { ...status, ...excluded(world), phase: tj.spec.queue === undefined ? 'Pending' : 'Queued', attempt },
    observed: underWay('Pending', message),
    events: [normal('AttemptStarted', message)],
    next: untilDeadline(world),
  };
}

/** A queue says most in its first seconds with a Job, so it is looked at again after as long as it has held it. */
function queueLook({ attempt: { job }, now }: World): Outcome {
  const suspended = job?.status?.conditions?.find(({ type, status }) => type === 'Suspended' && status === 'True');
  const since = Date.parse(suspended?.lastTransitionTime ?? job?.metadata.creationTimestamp ?? '') || 0;
  const [least, most] = QUEUE_MS;
  return again(Math.min(most, Math.max(least, now.getTime() - since)), 'what the queue says is due');
}

/** Its queue has not let the Job go, or took it back: pods that ran are gone by rights, and the next ones are a new gang. */
export function queued(world: World): Plan {
  const { tj, queue } = world;
  const { queue: _q, ...status } = betweenAttempts(world);
  const said = queue ?? `Queue ${tj.spec.queue} has not admitted the job yet.`;
  const message = world.placement === undefined ? said : `${said} ${world.placement}`;
  return {
    actions: clear(world),
    status: {
      ...status,
      ...(queue === undefined ? {} : { queue: queue.slice(0, 512) }),
      ...(world.placement === undefined ? {} : { placement: placementOf(world) }),
      phase: 'Queued',
    },
    observed: underWay('Queued', message),
    events: tj.status?.phase === 'Running' ? [normal('Queued', message)] : [],
    next: soonest(untilDeadline(world), queueLook(world)),
  };
}

const pendingMessage = ({ attempt: { job, pods } }: World): string =>
  pods.length > 0
    ? 'The pods are being placed and started.'
    : `Job ${job?.metadata.name} has no pods yet; if that lasts, kubectl describe job ${job?.metadata.name} says why (a quota, an admission policy).`;

/** Nothing to decide: the pods are on their way, or train. */
export function watch(world: World): Plan {
  const { tj, attempt } = world;
  const running = attempt.pods.some(isRunning);
  const stuck = podWait(attempt.pods);
  const phase = running ? 'Running' : tj.status?.phase === 'Running' ? 'Running' : 'Pending';
  const placement = placementOf(world);
  const calm = running
    ? underWay('Training', `Attempt ${tj.status?.attempt ?? 0} trains on ${tj.spec.nodes} pod(s).`)
    : underWay('Pending', pendingMessage(world));
  const { queue: _q, ...status } = observedStatus(world);
  return {
    actions: clear(world),
    status: { ...status, phase },
    observed: stuck === undefined ? calm : underWay(stuck.reason, placement ?? stuck.message),
    events: running && tj.status?.phase !== 'Running' ? [normal('TrainingStarted', 'The first pod trains.')] : [],
    next: soonest(untilDeadline(world), untilTrouble(world), running ? again(PROGRESS_MS, 'progress is due') : settled),
  };
}

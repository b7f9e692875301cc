import { durationText, parseDuration } from '../../domain/duration.ts';
import { waitAfter, withAttempt, withExcluded } from '../../domain/training/attempts.ts';
import { type Cause, causeText } from '../../domain/training/cause.ts';
import { consequenceOf } from '../../domain/training/failurePolicy.ts';
import { causeOfJob, troubleOf } from '../../domain/training/trouble.ts';
import { jobEnd } from '../../domain/workload/jobEnd.ts';
import { rfc3339 } from '../../kube/conditions.ts';
import { again } from '../../kube/outcome.ts';
import { betweenAttempts, excluded, hasBegun } from './attemptStatus.ts';
import { fail } from './fail.ts';
import { warning } from './notes.ts';
import { underWay } from './outlook.ts';
import { failureCause } from './podCauses.ts';
import { runOf } from './run.ts';
import type { BareStatus, Plan, World } from './world.ts';

const DELETED: Cause = {
  class: 'AttemptLost',
  reason: 'AttemptLost',
  sentence: 'The Job of this attempt was deleted before it ended.',
  words: '',
  nodeToBlame: false,
};

/** Why the current attempt is over, while its Job does not say that it ended well; undefined: it is not. */
export function causeOfEnd(world: World): Cause | undefined {
  const { job, pods } = world.attempt;
  if (job === undefined) return hasBegun(world) ? DELETED : undefined;
  const end = jobEnd(job);
  if (end?.kind === 'Complete') return undefined;
  if (end?.kind === 'Failed') {
    return failureCause(pods) ?? causeOfJob(`The Job failed (${end.reason}): ${end.message}`);
  }
  if (job.metadata.deletionTimestamp !== undefined) return hasBegun(world) ? DELETED : undefined;
  const trouble = troubleOf(runOf(world, job));
  return trouble && (failureCause(pods) ?? trouble);
}

const exclusion = (world: World, { node = '', reason, sentence }: Cause): BareStatus['excludedNodes'] => {
  const until = new Date(world.now.getTime() + parseDuration(world.tj.spec.failure.excludeNodes));
  const entry = { name: node, reason: `${reason}: ${sentence}`.slice(0, 256), until: rfc3339(until) };
  return withExcluded(excluded(world).excludedNodes ?? [], entry);
};

/**
 * The end of an attempt, weighed. It is counted before the next one is started: were the Job made first, an operator that
 * dies in between would forget what it cost. What still runs of it is ended by the passes that follow.
 */
export function weigh(world: World, cause: Cause): Plan {
  const { spec, status = {} } = world.tj;
  const { attempt = 0, restarts = 0, disruptions = 0, startedAt } = status;
  const ended = { attempt, startedAt: status.attemptStartedAt ?? startedAt, endedAt: rfc3339(world.now), cause };
  const attempts = withAttempt(status.attempts ?? [], ended);
  const consequence = consequenceOf({
    cause,
    policy: spec.failure,
    restarts,
    disruptions,
    memoryLimit: spec.resources?.limits?.['memory'],
  });
  if (consequence.kind === 'GiveUp') return fail(world, cause.reason, consequence.message, { attempts });
  const waitMs = waitAfter(attempts);
  const leftOut = consequence.elsewhere && parseDuration(spec.failure.excludeNodes) > 0;
  const message = `${consequence.message} Attempt ${attempt + 1} starts in ${durationText(waitMs)}.`;
  return {
    actions: [],
    status: {
      ...betweenAttempts(world),
      ...(leftOut ? { excludedNodes: exclusion(world, cause) } : {}),
      phase: 'Pending',
      attempt: attempt + 1,
      restarts: restarts + (consequence.budget === 'restarts' ? 1 : 0),
      ...(consequence.budget === 'disruptions' || status.disruptions !== undefined
        ? { disruptions: disruptions + (consequence.budget === 'disruptions' ? 1 : 0) }
        : {}),
      attempts,
      nextAttemptAt: rfc3339(new Date(Math.ceil((world.now.getTime() + waitMs) / 1000) * 1000)),
    },
    observed: underWay(cause.reason, message),
    events: [warning(cause.reason, causeText(cause)), warning('Restarting', message)],
    next: again(1, 'what still runs of the attempt is ended'),
  };
}

import { parseDuration } from '../../domain/duration.ts';
import { gathersUntil, looksAgainAt, stallsAt, startsUntil } from '../../domain/training/trouble.ts';
import { jobEnd } from '../../domain/workload/jobEnd.ts';
import { again, type Outcome, settled, soonest } from '../../kube/outcome.ts';
import { observedStatus } from './observe.ts';
import { runOf } from './run.ts';
import type { World } from './world.ts';

/** Asks for a pass at a time in ms since the epoch. A time that is past was looked at in this pass: another one changes nothing. */
export const at = (time: number | undefined, now: Date, why: string): Outcome =>
  time === undefined || time <= now.getTime() ? settled : again(time - now.getTime(), why);

/** When the attempt ended well, though no pass has seen it yet. */
function completedAt({ attempt: { job } }: World): string | undefined {
  const end = job && jobEnd(job);
  return end?.kind === 'Complete' ? end.at : undefined;
}

/**
 * When the deadline strikes; undefined without one, before the first start, and once training ended in time. It bounds
 * what holds accelerators: a model that trained in time is published though the operator was away meanwhile, and its
 * version may be there and serve already.
 */
export function deadlineAt(world: World): number | undefined {
  const { deadline } = world.tj.spec.failure;
  const { startedAt, phase } = observedStatus(world);
  if (deadline === undefined || startedAt === undefined) return undefined;
  if (world.tj.status?.trainedAt !== undefined || phase === 'Publishing') return undefined;
  const strikes = Date.parse(startedAt) + parseDuration(deadline);
  return Date.parse(completedAt(world) ?? '') <= strikes ? undefined : strikes;
}

export const untilDeadline = (world: World): Outcome => at(deadlineAt(world), world.now, 'the deadline strikes');

/** The next time at which an attempt that runs may count as over though nothing happens. */
export function untilTrouble(world: World): Outcome {
  const { attempt, now } = world;
  if (attempt.job === undefined) return settled;
  const run = runOf(world, attempt.job);
  return soonest(
    at(stallsAt(run), now, 'the attempt counts as stalled'),
    at(gathersUntil(run), now, 'the pods must have found each other'),
    at(startsUntil(run), now, 'the pods must have started'),
    at(looksAgainAt(run), now, 'a pod or its node does not answer'),
  );
}

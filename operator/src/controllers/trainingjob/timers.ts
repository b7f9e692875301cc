import { parseDuration } from '../../domain/duration.ts';
import { gathersUntil, looksAgainAt, stallsAt, startsUntil } from '../../domain/training/trouble.ts';
import { again, type Outcome, settled, soonest } from '../../kube/outcome.ts';
import { observedStatus } from './observe.ts';
import { runOf } from './run.ts';
import type { World } from './world.ts';

/** Asks for a pass at a time in ms since the epoch. A time that is past was looked at in this pass: another one changes nothing. */
export const at = (time: number | undefined, now: Date, why: string): Outcome =>
  time === undefined || time <= now.getTime() ? settled : again(time - now.getTime(), why);

/**
 * When the deadline strikes; undefined without one, before the first start, while a trained job waits to be asked, and
 * once the artifact is stored: what is left is to name it, and its ModelVersion may be there and serve already.
 */
export function deadlineAt(world: World): number | undefined {
  const { failure, publish } = world.tj.spec;
  const { startedAt, trainedAt, artifact } = observedStatus(world);
  if (failure.deadline === undefined || startedAt === undefined || artifact !== undefined) return undefined;
  return publish.when === 'Asked' && trainedAt !== undefined
    ? undefined
    : Date.parse(startedAt) + parseDuration(failure.deadline);
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

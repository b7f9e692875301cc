import type { GuardStatus } from '../rollout/world.ts';
import { NONE } from './finding.ts';

/** Numbers that changed by less than this part of themselves tell nothing new. */
const NEWS = 0.1;

/**
 * A message with its numbers left out: those move on when the others do, and so does the worst of segments that are
 * about as bad, which would take turns.
 */
const words = ({ message }: GuardStatus): string | undefined =>
  message?.replace(/^worst segment .*?: (?=[0-9.]+%)/, 'worst segment #: ').replaceAll(/[0-9.]+/g, '#');

const saysTheSame = (old: GuardStatus, fresh: GuardStatus): boolean =>
  old.kind === fresh.kind &&
  old.verdict === fresh.verdict &&
  old.limit === fresh.limit &&
  old.observe === fresh.observe &&
  words(old) === words(fresh);

/** A plain number is as new as it is different: more looks at it say nothing. */
const isNear = (old: string, fresh: string): boolean =>
  old === fresh || Math.abs(Number(fresh) - Number(old)) <= NEWS * Math.abs(Number(old));

const countsTheSame = (old: GuardStatus, fresh: GuardStatus): boolean =>
  fresh.n >= old.n && fresh.n < old.n * (1 + NEWS) + 1 && (fresh.low !== NONE || isNear(old.rate, fresh.rate));

/**
 * The verdicts to show: those shown before, but for guards with news. Numbers in a status move on when they tell
 * something new: another verdict, limit or message, a new step, or a tenth more requests. Else each look would be a
 * write, and each write wakes whoever watches the object.
 */
export const refreshGuards = (
  stored: readonly GuardStatus[] | undefined,
  fresh: readonly GuardStatus[],
): readonly GuardStatus[] =>
  fresh.map((guard) => {
    const old = stored?.find(({ name }) => name === guard.name);
    return old !== undefined && saysTheSame(old, guard) && countsTheSame(old, guard) ? old : guard;
  });

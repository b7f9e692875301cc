import type { GuardStatus } from '../rollout/world.ts';

/** Numbers in a status move on when they tell something new: another verdict, a new step, or a tenth more requests. */
export const refreshGuards = (
  stored: readonly GuardStatus[] | undefined,
  fresh: readonly GuardStatus[],
): readonly GuardStatus[] =>
  fresh.map((guard) => {
    const old = stored?.find(({ name }) => name === guard.name);
    const same = old !== undefined && old.verdict === guard.verdict && old.limit === guard.limit;
    return same && guard.n >= old.n && guard.n < old.n * 1.1 + 1 ? old : guard;
  });

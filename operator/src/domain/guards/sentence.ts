import type { Cause, GuardStatus } from '../rollout/world.ts';

/** A guard's status as a sentence. */
export function guardSentence({ name, verdict, rate, low, high, limit, n, eta }: GuardStatus): string {
  const measured = `${rate} of ${n} requests (between ${low} and ${high}), limit ${limit}`;
  if (verdict === 'Blind') return `guard ${name} sees no requests of the candidate`;
  if (verdict === 'NeedMore') {
    return `guard ${name} needs more requests: ${measured}${eta === undefined ? '' : `, about ${eta} more`}`;
  }
  return `guard ${name} ${verdict === 'Fail' ? 'failed' : 'passes'}: ${measured}`;
}

export const guardCause = (guard: GuardStatus): Cause => ({
  reason: 'GuardFailed',
  message: `${guardSentence(guard).replace(/^g/, 'G')}.`,
});

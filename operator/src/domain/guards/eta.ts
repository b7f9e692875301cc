import type { GuardVerdict } from '@slipway/crds';

/** Beyond this many times the evidence of today nobody waits. */
const MOST_GROWTH = 1e6;
/** Relative precision of the growth. */
const PRECISE = 0.01;

/**
 * Milliseconds until a verdict, if what comes is like what came: the evidence of `seconds` seconds is grown until
 * `verdictAt` (its factor, 1: as it is) says something. undefined: not in sight, as when a rate sits on its limit.
 */
export function etaMs(verdictAt: (growth: number) => GuardVerdict, seconds: number): number | undefined {
  const decided = (growth: number): boolean => verdictAt(growth) !== 'NeedMore';
  if (seconds <= 0) return undefined;
  let enough = 2;
  while (!decided(enough)) {
    enough *= 2;
    if (enough > MOST_GROWTH) return undefined;
  }
  let tooLittle = enough / 2;
  while (enough - tooLittle > PRECISE * (enough - 1)) {
    const middle = (enough + tooLittle) / 2;
    if (decided(middle)) enough = middle;
    else tooLittle = middle;
  }
  return (enough - 1) * seconds * 1000;
}

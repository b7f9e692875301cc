import { type Counts, excludes } from '../analysis/confidenceSequence.ts';
import { exceeds } from '../analysis/difference.ts';
import type { Risk } from '../analysis/verdict.ts';

/** Beyond this many times the evidence of today nobody waits. */
const MOST_GROWTH = 1e6;
/** Relative precision. It is a guess about traffic to come, and is made at every look. */
const PRECISE = 0.02;

/**
 * Milliseconds until a verdict, if what comes is like what came: the evidence of `seconds` seconds is grown until it is
 * decided. undefined: not in sight, as when a rate sits on its limit.
 */
function untilDecided(decided: (growth: number) => boolean, seconds: number): number | undefined {
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

const grown = ({ hits, total }: Counts, growth: number): Counts => ({ hits: hits * growth, total: total * growth });
const isBeyond = ({ hits, total }: Counts, limit: number): boolean => hits > limit * total;

/** Until judgeRate says Pass or Fail; only the bound on the limit's side is looked at, for that decides. */
export function untilRateIsJudged(counts: Counts, limit: number, risk: Risk, seconds: number): number | undefined {
  if (counts.total <= 0) return undefined;
  const alpha = isBeyond(counts, limit) ? risk.fail : risk.pass;
  return untilDecided((growth) => excludes(grown(counts, growth), alpha, limit), seconds);
}

export interface Difference {
  readonly candidate: Counts;
  readonly stable: Counts;
  readonly margin: number;
  /** Whether the stable version gets requests as well. */
  readonly bothGrow: boolean;
}

/** Until judgeDifference says Pass or Fail. */
export function untilDifferenceIsJudged(
  { candidate, stable, margin, bothGrow }: Difference,
  risk: Risk,
  seconds: number,
): number | undefined {
  if (candidate.total <= 0 || stable.total <= 0) return undefined;
  const fails = candidate.hits / candidate.total - stable.hits / stable.total > margin;
  return untilDecided((growth) => {
    const [c, s] = [grown(candidate, growth), bothGrow ? grown(stable, growth) : stable];
    return fails ? exceeds(c, s, margin, risk.fail) : exceeds(s, c, -margin, risk.pass);
  }, seconds);
}

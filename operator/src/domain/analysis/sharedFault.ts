import type { Counts } from './confidenceSequence.ts';
import { exceeds } from './difference.ts';
import type { Risk } from './verdict.ts';

/** One failure of the stable version may be anyone's. */
const LEAST_HITS = 2;
/** A stable version with a smaller part of the candidate's requests is no witness: waiting for it would take too long. */
const LEAST_PART = 1 / 20;

/**
 * Whether a fault that the candidate shows may lie with neither version but with what both lean on, over the same window:
 * the candidate is not shown to be worse than stable. Where stable itself is beyond the limit, with two hits or more, that
 * must be shown at the risk of a wrong Fail. Where it is not, it may only have had too few requests for the fault to show:
 * then the risk of a wrong Pass is enough, so that a candidate's own fault is not waited for long. false without a stable
 * version that gets requests. Of the candidate these are effective counts; of stable they may be all it had, for each of
 * its requests in the same seconds was a chance to show what both suffer.
 * Source: lowestDifference; the error rates are simulated in docs/statistics.md.
 */
export function sharedFault(candidate: Counts, stable: Counts, limit: number, risk: Risk): boolean {
  const isBeyond = stable.hits >= LEAST_HITS && stable.hits > limit * stable.total;
  if (stable.total <= 0 || (!isBeyond && stable.total < candidate.total * LEAST_PART)) return false;
  return !exceeds(candidate, stable, 0, isBeyond ? risk.fail : Math.max(risk.fail, risk.pass));
}

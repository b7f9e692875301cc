import type { Counts } from './confidenceSequence.ts';
import { exceeds } from './difference.ts';
import type { Risk } from './verdict.ts';

/** One failure of the stable version may be anyone's. */
const LEAST_HITS = 2;

/**
 * Whether a fault lies with neither version but with what both lean on: over the same window the stable version is beyond
 * the limit by its own count, with two hits or more, and the candidate is not worse than it at the risk of a wrong Fail.
 * Hits are effective counts.
 */
export function sharedFault(candidate: Counts, stable: Counts, limit: number, risk: Risk): boolean {
  if (stable.hits < LEAST_HITS || stable.hits <= limit * stable.total) return false;
  return !exceeds(candidate, stable, 0, risk.fail);
}

import { sharedFault } from '../analysis/sharedFault.ts';
import type { Risk } from '../analysis/verdict.ts';
import type { Finding } from './finding.ts';
import { hasAllTraffic, type Sight } from './sight.ts';
import { ofCandidate, ofStable, rawCounts, type TallyRate, type Window } from './tallyRate.ts';

/**
 * Whether both versions suffer a fault over the same time. Once all requests go to the candidate, the stable version is
 * only asked where something passes the split by, and what it counted before is of another time. Its counts are not
 * divided by a design effect: each of its requests of these seconds was a chance for the fault to show, and a burst that
 * hits both is the very thing that is looked for.
 */
export const isSharedIn = (sight: Sight, window: Window, rate: TallyRate, limit: number, risk: Risk): boolean =>
  !(hasAllTraffic(sight) && rate.asked(ofStable(sight, 'sinceStep')) === 0) &&
  sharedFault(rate.counts(ofCandidate(sight, window), limit), rawCounts(rate, ofStable(sight, window)), limit, risk);

/** A Fail that is not the candidate's to answer for. */
export const shared = (finding: Finding, stableShare: string): Finding => ({
  ...finding,
  verdict: 'SharedFault',
  message: `the stable version suffers it too: ${stableShare}`,
});

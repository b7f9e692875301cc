import type { Counts } from '../analysis/confidenceSequence.ts';
import { type Assumption, effectiveCounts } from '../analysis/designEffect.ts';
import { noBatches, noRequests, type Tally } from '../analysis/tally.ts';
import type { RevisionEvidence } from '../rollout/world.ts';
import type { Sight } from './sight.ts';

/** A share that a tally holds. */
export interface TallyRate {
  /** What the share is of, in the plural, such as requests. */
  readonly what: string;
  /** How many of those there are. */
  readonly asked: (tally: Tally) => number;
  /** How many of them were bad. */
  readonly hits: (tally: Tally) => number;
  /** Both as what they are worth in independent ones; `tested` is the share that they are held against, if one is. */
  readonly counts: (tally: Tally, tested?: number | Assumption) => Counts;
}

/** What was counted, as it was counted. */
export const rawCounts = ({ hits, asked }: TallyRate, tally: Tally): Counts => ({
  hits: hits(tally),
  total: asked(tally),
});

/**
 * A rate whose batches the reader of the evidence keeps under a name of rateKey. Counters of one answer may be read a
 * moment apart, so that there are more hits than questions: then all of them are hits.
 */
export function batchedRate(
  what: string,
  key: string,
  count: (tally: Tally) => number,
  asked: (tally: Tally) => number,
): TallyRate {
  const hits = (tally: Tally): number => Math.min(count(tally), asked(tally));
  const counts = (tally: Tally, tested?: number | Assumption): Counts =>
    effectiveCounts(hits(tally), asked(tally), tally.batches[key] ?? noBatches, tested);
  return { what, asked, hits, counts };
}

export type Window = 'sinceRollout' | 'sinceStep' | 'recent' | 'lifetime';

const tallyOf = (evidence: RevisionEvidence | undefined, window: Window): Tally =>
  (window === 'recent' ? evidence?.recent?.tally : evidence?.[window]) ?? noRequests;

export const ofCandidate = ({ seen }: Sight, window: Window): Tally => tallyOf(seen, window);
export const ofStable = ({ stable }: Sight, window: Window): Tally => tallyOf(stable, window);

export const shareOf = ({ hits, total }: Counts): number => (total === 0 ? 0 : hits / total);

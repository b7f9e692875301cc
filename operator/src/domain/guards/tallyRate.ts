import type { Counts } from '../analysis/confidenceSequence.ts';
import { type Assumption, effectiveCounts, type History, noHistory, together } from '../analysis/designEffect.ts';
import { type Batches, type Copies, noBatches, noRequests, type Tally } from '../analysis/tally.ts';
import type { RevisionEvidence } from '../rollout/world.ts';
import type { Sight } from './sight.ts';

/** The same share of the copies that came for a second opinion. */
interface CopiedRate {
  /** Under which name of rateKey the reader of the evidence keeps its batches. */
  readonly key: string;
  readonly asked: (copies: Copies) => number;
  readonly hits: (copies: Copies) => number;
}

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
  /** Those that came in batches, and the batches. */
  readonly batched: (tally: Tally) => Omit<History, 'pods'>;
  /** Absent: copies say nothing about it. */
  readonly copied?: CopiedRate;
}

/**
 * A copy is asked in the same second as live requests, and what that second suffers shows in both: each with a design
 * effect of its own would count it twice. So much, as a second of both is worth about what their sum would be: with it
 * good candidates are failed as seldom as promised (docs/statistics.md, of a second opinion).
 */
const WORTH_OF_A_COPY = 0.4;

/** Live requests and copies together, as what they are worth in independent ones. */
export function countsWithCopies(rate: TallyRate, tally: Tally, tested: number): Counts {
  const live = rate.counts(tally, tested);
  if (rate.copied === undefined || rate.copied.asked(tally.copies) === 0) return live;
  const { asked, hits, key } = rate.copied;
  const total = asked(tally.copies);
  const copies = effectiveCounts(Math.min(total, hits(tally.copies)), total, tally.batches[key] ?? noBatches, tested);
  return together(live, { hits: copies.hits * WORTH_OF_A_COPY, total: copies.total * WORTH_OF_A_COPY });
}

/** How many were asked, copies included. */
export const askedWithCopies = ({ asked, copied }: TallyRate, tally: Tally): number =>
  asked(tally) + (copied?.asked(tally.copies) ?? 0);

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
  copied?: CopiedRate,
): TallyRate {
  const hits = (tally: Tally): number => Math.min(count(tally), asked(tally));
  const batchesOf = (tally: Tally): Batches => tally.batches[key] ?? noBatches;
  const counts = (tally: Tally, tested?: number | Assumption): Counts =>
    effectiveCounts(hits(tally), asked(tally), batchesOf(tally), tested);
  const batched = (tally: Tally) => ({ hits: hits(tally), total: asked(tally), batches: batchesOf(tally) });
  return { what, asked, hits, counts, batched, ...(copied === undefined ? {} : { copied }) };
}

export type Window = 'sinceRollout' | 'sinceStep' | 'recent' | 'lifetime';

const tallyOf = (evidence: RevisionEvidence | undefined, window: Window): Tally =>
  (window === 'recent' ? evidence?.recent?.tally : evidence?.[window]) ?? noRequests;

export const ofCandidate = ({ seen }: Sight, window: Window): Tally => tallyOf(seen, window);
export const ofStable = ({ stable }: Sight, window: Window): Tally => tallyOf(stable, window);

/**
 * What the stable version showed of its bad seconds: in its life where its pods keep batches of such a rate themselves,
 * else since the rollout began. Seconds are told by how many processes counted each of them, those included that ended: of
 * ten pods of which one is left, a minute is no ten minutes.
 */
export function historyOf({ stable }: Sight, rate: TallyRate): History {
  const [life, rollout] = [tallyOf(stable, 'lifetime'), tallyOf(stable, 'sinceRollout')].map(rate.batched);
  const pods = Math.max(1, stable?.answering ?? 0, stable?.processes ?? 0);
  const longer = (life?.batches.count ?? 0) >= (rollout?.batches.count ?? 0) ? life : rollout;
  return { ...noHistory, ...longer, pods };
}

export const shareOf = ({ hits, total }: Counts): number => (total === 0 ? 0 : hits / total);

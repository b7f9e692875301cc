import type { Counts } from './confidenceSequence.ts';
import { type Judgement, judgeRate, type Risk } from './verdict.ts';

/** A segment with fewer effective questions is not judged alone. */
const LEAST_IN_SEGMENT = 5;

export interface SegmentJudgement extends Judgement {
  readonly segment: string;
}

/**
 * The segment whose lower bound is furthest beyond the limit, or nearest to it; undefined: none has enough questions.
 * The risk of a wrong Fail is divided by the number of segments there are, judged or not, so that the chance that any
 * innocent segment ever fails stays within it; a wrong Pass of all is one of each, so that risk is not divided.
 * Source: Bonferroni's inequality; judgeRate for each segment.
 */
export function worstSegment(
  segments: Readonly<Record<string, Counts>>,
  limit: number,
  risk: Risk,
): SegmentJudgement | undefined {
  const all = Object.entries(segments);
  const share = { ...risk, fail: risk.fail / Math.max(1, all.length) };
  return all
    .filter(([, { total }]) => total >= LEAST_IN_SEGMENT)
    .map(([segment, counts]) => ({ segment, ...judgeRate(counts, limit, share) }))
    .sort((a, b) => b.low - a.low || b.rate - a.rate)[0];
}

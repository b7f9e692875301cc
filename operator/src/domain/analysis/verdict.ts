import type { Verdict } from '@slipway/crds';
import { type Counts, excludes, highestRate, type Interval, lowestRate } from './confidenceSequence.ts';
import { lowestDifference } from './difference.ts';

/** What a verdict says and what it rests on. `rate`, `low`, `high` and `limit` are shares from −1 to 1, `n` effective requests. */
export interface Judgement extends Interval {
  readonly verdict: Verdict;
  readonly rate: number;
  readonly limit: number;
  readonly n: number;
}

/** Chance of a wrong Fail and of a wrong Pass, each over all looks together. */
export interface Risk {
  readonly fail: number;
  readonly pass: number;
}

const share = ({ hits, total }: Counts): number => (total === 0 ? 0 : hits / total);

const verdictOf = (low: number, high: number, limit: number): Verdict =>
  low > limit ? 'Fail' : high < limit ? 'Pass' : 'NeedMore';

/**
 * A rate held against a limit: Fail when the sequence lies above it, Pass when it lies below, else NeedMore. `low` is
 * the bound at the risk of a wrong Fail and `high` that at the risk of a wrong Pass: the two that decide.
 */
export function judgeRate(counts: Counts, limit: number, risk: Risk): Judgement {
  const low = lowestRate(counts, risk.fail);
  const high = highestRate(counts, risk.pass);
  return { verdict: verdictOf(low, high, limit), rate: share(counts), low, high, limit, n: counts.total };
}

/**
 * How much worse one rate is than another, held against a margin: `low` and `high` bound the difference at the risk of a
 * wrong Fail and of a wrong Pass, each at every look. See lowestDifference for the test and its source. A side without a
 * request needs more.
 */
export function judgeDifference(candidate: Counts, stable: Counts, margin: number, risk: Risk): Judgement {
  const low = lowestDifference(candidate, stable, risk.fail);
  const high = -lowestDifference(stable, candidate, risk.pass);
  const rate = share(candidate) - share(stable);
  return { verdict: verdictOf(low, high, margin), rate, low, high, limit: margin, n: candidate.total };
}

const MOST_REQUESTS = 1e8;

/**
 * Further requests until a verdict against `limit`, if the rate stays what it is. undefined: not within 1e8 requests,
 * as when the rate sits on the limit.
 */
export function requestsToVerdict(counts: Counts, limit: number, risk: Risk): number | undefined {
  const rate = share(counts);
  const alpha = rate > limit ? risk.fail : risk.pass;
  const decided = (total: number): boolean => excludes({ hits: rate * total, total }, alpha, limit);
  let enough = Math.max(1, counts.total);
  while (!decided(enough)) {
    enough *= 2;
    if (enough > MOST_REQUESTS) return undefined;
  }
  let tooFew = Math.min(counts.total, enough);
  while (enough - tooFew > Math.max(1, enough * 0.01)) {
    const middle = (enough + tooFew) / 2;
    if (decided(middle)) enough = middle;
    else tooFew = middle;
  }
  return Math.max(0, Math.ceil(enough - counts.total));
}

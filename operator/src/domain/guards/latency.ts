import { LATENCY_BOUNDS_MS } from '@slipway/crds/contract';
import { rateKey, type Tally } from '../analysis/tally.ts';
import { againstLimit } from './againstLimit.ts';
import { againstStable } from './againstStable.ts';
import { percentText } from './percent.ts';
import { type Asked, holdsOnRequests, type Kind, WHERE_ASKED } from './question.ts';
import type { Sight } from './sight.ts';
import { batchedRate, ofCandidate, type TallyRate } from './tallyRate.ts';

const BOUNDS: readonly number[] = LATENCY_BOUNDS_MS;

const sum = (counts: readonly number[]): number => counts.reduce((a, b) => a + b, 0);

/** Served requests that took longer than a bound of the histogram. A bound counts what took that long or less. */
export const slowerThan =
  (thresholdMs: number) =>
  ({ latency }: Tally): number =>
    sum(latency.slice(BOUNDS.indexOf(thresholdMs) + 1));

const slow = (thresholdMs: number): TallyRate =>
  batchedRate('served requests', rateKey.slower(thresholdMs), slowerThan(thresholdMs), ({ latency }) => sum(latency));

/** The bounds between which a quantile lies: `p95 is 40ms to 50ms`. undefined: nothing was served. */
export function quantileText({ latency }: Tally, quantile: number): string | undefined {
  const wanted = sum(latency) * (quantile / 100);
  if (wanted === 0) return undefined;
  let below = 0;
  const bin = latency.findIndex((count) => {
    below += count;
    return below >= wanted;
  });
  const [from, to] = [BOUNDS[bin - 1] ?? 0, BOUNDS[bin]];
  return to === undefined ? `p${quantile} is over ${from}ms` : `p${quantile} is ${from}ms to ${to}ms`;
}

const tell =
  ({ threshold, quantile }: Asked<'latency'>) =>
  (sight: Sight): string => {
    const limit = `share over ${threshold}`;
    const seen = quantileText(ofCandidate(sight, 'sinceStep'), quantile);
    return seen === undefined ? limit : `${limit}; ${seen}`;
  };

/** Answers that took longer than the threshold, of all that were served. That p95 is below it means that at most 5 % are. */
export const latency: Kind<Asked<'latency'>> = {
  questions: (asked) => {
    const rate = slow(Number(asked.threshold.slice(0, -'ms'.length)));
    const limit = 1 - asked.quantile / 100;
    return asked.worseBy === undefined
      ? [againstLimit({ rate, limit, text: percentText(limit), tell: tell(asked) })]
      : [againstStable(rate, asked.worseBy)];
  },
  phases: WHERE_ASKED,
  holds: holdsOnRequests,
};

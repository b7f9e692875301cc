import type { Guard } from '@slipway/crds';
import { type Batches, noBatches } from '../../domain/analysis/tally.ts';
import type { ExternalFinding } from '../../domain/rollout/world.ts';
import { MOST_COUNTED } from './mostCounted.ts';
import type { OneNumber } from './oneNumber.ts';

export type PrometheusGuard = NonNullable<Guard['prometheus']>;

/** What the looks so far in one step of one rollout have found. */
export interface Looks {
  readonly bad: number;
  readonly total: number;
  readonly batches: Batches;
  readonly badInARow: number;
  readonly goodInARow: number;
}
export const NO_LOOKS: Looks = { bad: 0, total: 0, batches: noBatches, badInARow: 0, goodInARow: 0 };

export interface Looked {
  readonly looks: Looks;
  readonly finding: ExternalFinding;
}

/** Counts from one look to the next are one batch, for the design effect. Counts that fell (a counter was reset) make none. */
function batchesWith({ bad, total, batches }: Looks, nowBad: number, nowTotal: number): Batches {
  const grown = nowTotal - total;
  if (grown <= 0) return batches;
  const hits = Math.min(grown, Math.max(0, nowBad - bad));
  return { count: batches.count + 1, squaredOverTotal: batches.squaredOverTotal + (hits * hits) / grown };
}

/** increase() extrapolates, so that a count may come out a little above the whole, or a little below nothing. */
const SLACK = 1;
const SLACK_SHARE = 0.1;

/** What is wrong with two counts that no extrapolation explains. */
function contradiction(bad: number, total: number): string | undefined {
  if (total > MOST_COUNTED) {
    return `total is ${total}, which is no count of events: write increase(…[$window]) of a counter of them`;
  }
  if (bad < -SLACK || total < -SLACK) {
    return `bad is ${bad} and total is ${total}: a count is not below 0, write increase(…[$window])`;
  }
  return bad > total * (1 + SLACK_SHARE) + SLACK
    ? `bad (${bad}) is more than total (${total}): bad must count some of what total counts`
    : undefined;
}

/** A rate from two counts since the step began. */
export function lookAtRates(looks: Looks, bad: OneNumber, total: OneNumber): Looked {
  const invalid = [bad, total].find(({ kind }) => kind === 'Invalid');
  if (invalid !== undefined && invalid.kind !== 'Number') return { looks, finding: invalid };
  if (total.kind !== 'Number') return { looks, finding: total };
  if (bad.kind !== 'Number') return { looks, finding: bad };
  const message = contradiction(bad.value, total.value);
  if (message !== undefined) return { looks, finding: { kind: 'Invalid', message } };
  const all = Math.max(0, total.value);
  const hits = Math.min(all, Math.max(0, bad.value));
  const batches = batchesWith(looks, hits, all);
  return {
    looks: { ...looks, bad: hits, total: all, batches },
    finding: { kind: 'Rates', bad: hits, total: all, batches },
  };
}

/** `3%` as 0.03, as a query gives it. */
const limitOf = (text: string): number => (text.endsWith('%') ? Number(text.slice(0, -1)) / 100 : Number(text));

/** A plain number held against its limits. A look without a number neither adds to what is in a row nor breaks it. */
export function lookAtValue(looks: Looks, { max, min }: PrometheusGuard, number: OneNumber): Looked {
  if (number.kind !== 'Number') return { looks, finding: number };
  const { value } = number;
  const beyond = (max !== undefined && value > limitOf(max)) || (min !== undefined && value < limitOf(min));
  const [badInARow, goodInARow] = beyond ? [looks.badInARow + 1, 0] : [0, looks.goodInARow + 1];
  return { looks: { ...looks, badInARow, goodInARow }, finding: { kind: 'Value', value, badInARow, goodInARow } };
}

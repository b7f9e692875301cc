import type { Guard } from '@slipway/crds';
import { LATENCY_BOUNDS_MS } from '@slipway/crds/contract';
import { type Batches, noBatches, noRequests, rateKey, type Tally } from '../../analysis/tally.ts';

/** What a version of a rehearsed rollout is like: shares of its requests. */
export interface Model {
  /** Answered with a 5xx. */
  readonly errors: number;
  /** Slower than the threshold, whichever a latency guard has. */
  readonly slow: number;
  /** Answered with a value that no caller can use. */
  readonly invalid: number;
  /** Answered otherwise than by the stable version, of those compared. */
  readonly differing: number;
  /** Chance of each bin of its prediction. */
  readonly predictions: readonly number[];
  /** Labelled at once, of those answered. Default 0. */
  readonly labelled?: number;
  /** Wrong, of those labelled. Default 0. */
  readonly wrong?: number;
}

/** Thresholds by which the answers of a policy are counted, in milliseconds. */
export const thresholdsOf = (guards: readonly Guard[]): readonly number[] =>
  guards.flatMap(({ latency }) => (latency === undefined ? [] : [Number(latency.threshold.slice(0, -'ms'.length))]));

export const batchOf = (hits: number, total: number): Batches =>
  total === 0 ? noBatches : { count: 1, squaredOverTotal: (hits * hits) / total };

/** How many of so many questions hit. */
export function drawn(share: number, of: number, uniform: () => number): number {
  let hits = 0;
  for (let i = 0; i < of; i += 1) if (uniform() < share) hits += 1;
  return hits;
}

/** What the pods of a version count in a second of so many requests, when its faults are `factor` times as frequent as usual. */
export function secondOf(
  model: Model,
  requests: number,
  factor: number,
  thresholds: readonly number[],
  uniform: () => number,
): Tally {
  const some = (share: number, of: number): number => drawn(share * factor, of, uniform);
  const serverError = some(model.errors, requests);
  const slow = some(model.slow, requests);
  const invalid = some(model.invalid, requests);
  const labelled = drawn(model.labelled ?? 0, requests - serverError, uniform);
  const wrong = some(model.wrong ?? 0, labelled);
  // What is slow is beyond every threshold, and what is not is below all of them.
  const latency = new Array<number>(LATENCY_BOUNDS_MS.length + 1).fill(0);
  latency[0] = requests - slow;
  latency[LATENCY_BOUNDS_MS.length] = slow;
  const slower = thresholds.map((threshold) => [rateKey.slower(threshold), batchOf(slow, requests)] as const);
  return {
    ...noRequests,
    ok: requests - serverError,
    serverError,
    invalid,
    latency,
    right: labelled - wrong,
    wrong,
    batchSeconds: requests === 0 ? 0 : 1,
    failedSquaredOverServed: batchOf(serverError, requests).squaredOverTotal,
    batches: {
      ...Object.fromEntries(slower),
      [rateKey.invalid]: batchOf(invalid, requests),
      [rateKey.wrong]: batchOf(wrong, labelled),
    },
  };
}

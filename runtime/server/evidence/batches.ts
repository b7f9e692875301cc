import type { Evidence } from '@slipway/crds/contract';

/** Where each word lies; the open second is the newest that had a served request. */
const SECONDS = 0;
const SQUARES = 1;
const OPEN_SECOND = 2;
const OPEN_SERVED = 3;
const OPEN_FAILED = 4;
export const BATCH_WORDS = 5;

/**
 * Groups served requests by the second they were answered in: the counters that tell how failures cluster in time.
 * The open second counts as it stands, so that at every moment the batches hold exactly the requests that the totals
 * hold: a design effect from numbers that disagree by a second would be wrong most of the time on little traffic.
 */
export function countInBatch(words: Float64Array, failed: boolean, nowMs: number): void {
  const second = Math.floor(nowMs / 1000);
  if (second !== words[OPEN_SECOND]) {
    const { seconds, failedSquaredOverServed } = batchesOf(words);
    words[SECONDS] = seconds;
    words[SQUARES] = failedSquaredOverServed;
    words[OPEN_SECOND] = second;
    words[OPEN_SERVED] = 0;
    words[OPEN_FAILED] = 0;
  }
  words[OPEN_SERVED] = (words[OPEN_SERVED] as number) + 1;
  if (failed) words[OPEN_FAILED] = (words[OPEN_FAILED] as number) + 1;
}

export function batchesOf(words: Float64Array): Evidence['batches'] {
  const [seconds = 0, squares = 0, , served = 0, failed = 0] = words;
  if (served === 0) return { seconds, failedSquaredOverServed: squares };
  return { seconds: seconds + 1, failedSquaredOverServed: squares + failed ** 2 / served };
}

import { type Evidence, LATENCY_BOUNDS_MS } from '@slipway/crds/contract';
import { noCopies, rateKey, type Tally } from '../domain/analysis/tally.ts';

/**
 * Latency counts by LATENCY_BOUNDS_MS, of a histogram that has at least those bounds, as one of a later release may
 * have more. Empty where it lacks one: a share beyond a threshold that the pod did not count by can't be told.
 */
export function latencyOf({ boundsMs, counts }: Evidence['latency']): readonly number[] {
  const rising = boundsMs.every((bound, i) => i === 0 || bound > (boundsMs[i - 1] ?? 0));
  if (counts.length !== boundsMs.length + 1 || !rising) return [];
  if (!LATENCY_BOUNDS_MS.every((bound) => boundsMs.includes(bound))) return [];
  const binned = new Array<number>(LATENCY_BOUNDS_MS.length + 1).fill(0);
  counts.forEach((count, i) => {
    const bound = boundsMs[i] ?? Number.POSITIVE_INFINITY;
    const at = LATENCY_BOUNDS_MS.findIndex((ours) => bound <= ours);
    const bin = at === -1 ? LATENCY_BOUNDS_MS.length : at;
    binned[bin] = (binned[bin] ?? 0) + count;
  });
  return binned;
}

const labelBatches = ({ labels }: Evidence): Tally['batches'] => {
  if (labels?.batches === undefined) return {};
  const { seconds, wrongSquaredOverLabelled } = labels.batches;
  return { [rateKey.wrong]: { count: seconds, squaredOverTotal: wrongSquaredOverLabelled } };
};

/**
 * Counters of a document, over the whole life of its process. Batches that the pod does not tell are the ledger's to make,
 * from poll to poll.
 */
export function tallyOf(evidence: Evidence): Tally {
  const { requests, batches, latency, invalid, labels, copies } = evidence;
  return {
    ...requests,
    invalid: invalid ?? 0,
    latency: latencyOf(latency),
    right: labels?.right ?? 0,
    wrong: labels?.wrong ?? 0,
    copies: copies ?? noCopies,
    batches: labelBatches(evidence),
    batchSeconds: batches.seconds,
    failedSquaredOverServed: batches.failedSquaredOverServed,
  };
}

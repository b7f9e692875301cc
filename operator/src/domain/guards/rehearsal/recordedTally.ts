import { LATENCY_BOUNDS_MS } from '@slipway/crds/contract';
import { noRequests, rateKey, type Tally } from '../../analysis/tally.ts';
import { batchOf } from './model.ts';
import type { Counted } from './record.ts';

const BOUNDS: readonly number[] = LATENCY_BOUNDS_MS;

/** A histogram in which as many are slower than each threshold as were recorded; what lies between two is all beyond the lower one. */
function latencyOf(total: number, slower: Counted['slower']): number[] {
  const counts = new Array<number>(BOUNDS.length + 1).fill(0);
  const add = (bin: number, count: number): void => {
    counts[bin] = (counts[bin] ?? 0) + count;
  };
  let before = total;
  let bin = 0;
  for (const ms of Object.keys(slower)
    .map(Number)
    .sort((a, b) => a - b)) {
    const beyond = Math.min(before, slower[ms] ?? 0);
    add(bin, before - beyond);
    before = beyond;
    bin = BOUNDS.indexOf(ms) + 1;
  }
  add(bin, before);
  return counts;
}

/** What the pods of a version would have counted in a second like this. */
export function tallyOf({ total, bad, invalid, slower, right, wrong }: Counted): Tally {
  const slow = Object.entries(slower).map(
    ([ms, count]) => [rateKey.slower(Number(ms)), batchOf(count, total)] as const,
  );
  return {
    ...noRequests,
    ok: total - bad,
    serverError: bad,
    invalid,
    latency: latencyOf(total, slower),
    right,
    wrong,
    batchSeconds: total === 0 ? 0 : 1,
    failedSquaredOverServed: batchOf(bad, total).squaredOverTotal,
    batches: {
      ...Object.fromEntries(slow),
      [rateKey.invalid]: batchOf(invalid, total),
      [rateKey.wrong]: batchOf(wrong, right + wrong),
    },
  };
}

import { LATENCY_BOUNDS_MS } from '@slipway/crds/contract';
import { type Batches, noBatches, rateKey, type Tally } from '../domain/analysis/tally.ts';
import { hasPassed } from './hasPassed.ts';

/** Hits of a rate among its questions. */
export interface Share {
  readonly hits: number;
  readonly total: number;
}

const sum = (counts: readonly number[]): number => counts.reduce((a, b) => a + b, 0);

/** The rates that pods do not batch themselves, by rateKey, of what was counted between two polls. */
export function sharesOf(counted: Tally, thresholdsMs: readonly number[]): ReadonlyMap<string, Share> {
  const { ok, serverError, invalid, latency, right, wrong, copies, batches } = counted;
  const slower = thresholdsMs.map((threshold): [string, Share] => {
    const at = (LATENCY_BOUNDS_MS as readonly number[]).indexOf(threshold);
    return [rateKey.slower(threshold), { hits: at === -1 ? 0 : sum(latency.slice(at + 1)), total: sum(latency) }];
  });
  return new Map([
    ...slower,
    [rateKey.invalid, { hits: invalid, total: ok + serverError }],
    [rateKey.copyErrors, { hits: copies.serverError, total: copies.ok + copies.serverError }],
    [rateKey.copyInvalid, { hits: copies.invalid, total: copies.ok + copies.serverError }],
    ...(rateKey.wrong in batches ? [] : [[rateKey.wrong, { hits: wrong, total: right + wrong }] as const]),
  ]);
}

/**
 * The design effect takes a batch for a second: what assumes that bursts come in seconds would see half of one in a batch
 * of half a second. A little less, for passes that are a second apart come some milliseconds early or late.
 */
const BATCH_MS = 900;

const withShare = ({ count, squaredOverTotal }: Batches, { hits, total }: Share): Batches => ({
  count: count + 1,
  squaredOverTotal: squaredOverTotal + (hits * hits) / total,
});

/**
 * Batches of the rates of one revision, for the design effect. One batch is what all of its pods counted in about a second,
 * from a pass over them to a later one: what makes failures come together (a stalled node of a database, a burst of one caller) strikes
 * the pods at the same time, and batches of single pods would take what they share for independent. That one pod is worse
 * than another needs no batch: requests are spread over pods by chance, so the rate of the revision is their mean.
 */
export class PassBatches {
  readonly #done = new Map<string, Batches>();
  readonly #open = new Map<string, Share>();
  #endedAt = Number.NEGATIVE_INFINITY;

  add(shares: ReadonlyMap<string, Share>): void {
    for (const [key, { hits, total }] of shares) {
      const before = this.#open.get(key) ?? { hits: 0, total: 0 };
      this.#open.set(key, { hits: before.hits + hits, total: before.total + total });
    }
  }

  /** Ends the batch if it is old enough. */
  close(at: Date): void {
    if (hasPassed(at.getTime() - this.#endedAt, BATCH_MS)) this.end(at);
  }

  /** Ends the batch, as where a window begins: what a window holds is whole batches. A time without a question is none. */
  end(at: Date): void {
    for (const [key, share] of this.#open) {
      if (share.total > 0) this.#done.set(key, withShare(this.#done.get(key) ?? noBatches, share));
    }
    this.#open.clear();
    this.#endedAt = at.getTime();
  }

  /** The open batch counts as it stands, so that the batches hold exactly the questions that the totals hold. */
  get(key: string): Batches {
    const done = this.#done.get(key) ?? noBatches;
    const open = this.#open.get(key);
    return open === undefined || open.total <= 0 ? done : withShare(done, open);
  }

  all(): Readonly<Record<string, Batches>> {
    const keys = [...new Set([...this.#done.keys(), ...this.#open.keys()])];
    return Object.fromEntries(keys.map((key) => [key, this.get(key)]).filter(([, batches]) => batches !== noBatches));
  }
}

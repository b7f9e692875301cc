import { LATENCY_BOUNDS_MS } from '@slipway/crds/contract';
import { type Batches, noBatches, rateKey, type Tally } from '../domain/analysis/tally.ts';

/** Hits of a rate among its questions. */
export interface Share {
  readonly hits: number;
  readonly total: number;
}

const sum = (counts: readonly number[]): number => counts.reduce((a, b) => a + b, 0);

/** The rates that pods do not batch themselves, by rateKey, of what was counted between two polls. */
export function sharesOf(counted: Tally, thresholdsMs: readonly number[]): ReadonlyMap<string, Share> {
  const { ok, serverError, invalid, latency, right, wrong } = counted;
  const slower = thresholdsMs.map((threshold): [string, Share] => {
    const at = (LATENCY_BOUNDS_MS as readonly number[]).indexOf(threshold);
    return [rateKey.slower(threshold), { hits: at === -1 ? 0 : sum(latency.slice(at + 1)), total: sum(latency) }];
  });
  return new Map([
    ...slower,
    [rateKey.invalid, { hits: invalid, total: ok + serverError }],
    [rateKey.wrong, { hits: wrong, total: right + wrong }],
  ]);
}

/**
 * Batches of the rates of one revision, for the design effect. One batch is what all of its pods counted from one pass
 * over them to the next: what makes failures come together (a stalled node of a database, a burst of one caller) strikes
 * the pods at the same time, and batches of single pods would take what they share for independent. That one pod is worse
 * than another needs no batch: requests are spread over pods by chance, so the rate of the revision is their mean.
 */
export class PassBatches {
  readonly #done = new Map<string, Batches>();
  readonly #open = new Map<string, Share>();

  add(shares: ReadonlyMap<string, Share>): void {
    for (const [key, { hits, total }] of shares) {
      const before = this.#open.get(key) ?? { hits: 0, total: 0 };
      this.#open.set(key, { hits: before.hits + hits, total: before.total + total });
    }
  }

  /** Ends the batch. A time without a question is none. */
  close(): void {
    for (const [key, { hits, total }] of this.#open) {
      if (total <= 0) continue;
      const { count, squaredOverTotal } = this.#done.get(key) ?? noBatches;
      this.#done.set(key, { count: count + 1, squaredOverTotal: squaredOverTotal + (hits * hits) / total });
    }
    this.#open.clear();
  }

  get(key: string): Batches {
    return this.#done.get(key) ?? noBatches;
  }

  all(): Readonly<Record<string, Batches>> {
    return Object.fromEntries(this.#done);
  }
}

import { drawn } from '../../analysis/simulation/traffic.ts';
import type { Batches } from '../../analysis/tally.ts';

/** Counters with batches of seconds; the open one counts as it stands. */
export class OpenSeconds {
  hits = 0;
  total = 0;
  #closed: Batches = { count: 0, squaredOverTotal: 0 };
  #open = { hits: 0, total: 0 };

  count(hits: number, total: number): void {
    this.hits += hits;
    this.total += total;
    this.#open = { hits: this.#open.hits + hits, total: this.#open.total + total };
  }

  /** So many requests, each of which fails at this rate. */
  add(uniform: () => number, total: number, rate: number): void {
    if (total > 0) this.count(drawn(uniform, total, rate), total);
  }

  get batches(): Batches {
    const { hits, total } = this.#open;
    const { count, squaredOverTotal } = this.#closed;
    return total === 0
      ? this.#closed
      : { count: count + 1, squaredOverTotal: squaredOverTotal + (hits * hits) / total };
  }

  end(): void {
    this.#closed = this.batches;
    this.#open = { hits: 0, total: 0 };
  }
}

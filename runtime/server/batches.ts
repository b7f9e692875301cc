/** The counters of the evidence document that tell how failures cluster in time. */
export interface Batches {
  readonly seconds: number;
  readonly failedSquaredOverServed: number;
}

/**
 * Groups served requests by the second they were answered in. The open second counts as it stands, so that at every
 * moment the batches hold exactly the requests that the totals hold: a design effect from numbers that disagree by a
 * second would be wrong most of the time on little traffic.
 */
export class BatchCounter {
  #second = Number.NaN;
  #served = 0;
  #failed = 0;
  #closed: Batches = { seconds: 0, failedSquaredOverServed: 0 };

  record(failed: boolean, nowMs: number): void {
    const second = Math.floor(nowMs / 1000);
    if (second !== this.#second) {
      this.#closed = this.read();
      this.#second = second;
      this.#served = 0;
      this.#failed = 0;
    }
    this.#served += 1;
    this.#failed += failed ? 1 : 0;
  }

  read(): Batches {
    if (this.#served === 0) return this.#closed;
    const { seconds, failedSquaredOverServed } = this.#closed;
    return {
      seconds: seconds + 1,
      failedSquaredOverServed: failedSquaredOverServed + this.#failed ** 2 / this.#served,
    };
  }
}

import type { Surroundings } from './surroundings.ts';

/** Shorter waits would sweep again and again for deadlines that lie close together. */
const LEAST_WAIT_MS = 1;

/**
 * One timer for all deadlines. It is set for the earliest when it was set, and looks for the next one when it rings: so
 * requests with the usual time limit cost a comparison each, and no timer.
 */
export class Deadlines {
  readonly #surroundings: Surroundings;
  readonly #sweep: (now: number) => number;
  #earliest = Infinity;
  #stop: (() => void) | undefined;

  /** `sweep` ends what is due and answers the earliest deadline left, or Infinity. */
  constructor(surroundings: Surroundings, sweep: (now: number) => number) {
    this.#surroundings = surroundings;
    this.#sweep = sweep;
  }

  watch(deadline: number): void {
    if (deadline >= this.#earliest) return;
    this.#stop?.();
    this.#earliest = deadline;
    const wait = Math.max(LEAST_WAIT_MS, Math.ceil(deadline - this.#surroundings.now()));
    this.#stop = this.#surroundings.timer(wait, () => {
      this.#earliest = Infinity;
      this.#stop = undefined;
      this.watch(this.#sweep(this.#surroundings.now()));
    });
  }

  stop(): void {
    this.#stop?.();
    this.#stop = undefined;
    this.#earliest = Infinity;
  }
}

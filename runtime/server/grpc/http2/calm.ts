import { ConnectionError, ERROR } from './protocol.ts';

/**
 * What a connection may ask for without getting anything done. Each frame below costs its sender nothing and us
 * something; floods of them took servers down (rapid reset is CVE-2023-44487, settings and ping floods CVE-2019-9512
 * and -9515, empty frames CVE-2019-9518). Work that gets an answer pays the count back.
 */
const ALLOWANCE = 10_000;
/** A reset request cost us its reading and perhaps its run: it counts for as many idle frames. */
const RESET_COST = 20;
/** What comes with a piece of a message from an honest peer: a ping that measures the way, an update of two windows. */
const PIECE_WORTH = 4;

export class Calm {
  #spent = 0;

  /** PING, SETTINGS, PRIORITY, WINDOW_UPDATE, empty DATA, frames of unknown types or of streams that are gone. */
  idleFrame(): void {
    this.#spend(1);
  }

  /** The peer gave a stream up, or broke it, before its answer. */
  reset(): void {
    this.#spend(RESET_COST);
  }

  /** A piece of a message came or went. */
  moved(): void {
    this.#spent = Math.max(0, this.#spent - PIECE_WORTH);
  }

  /** A request was answered. */
  progress(): void {
    this.#spent = Math.max(0, this.#spent - RESET_COST);
  }

  #spend(cost: number): void {
    this.#spent += cost;
    if (this.#spent > ALLOWANCE) throw new ConnectionError(ERROR.enhanceYourCalm, 'too many frames to no end');
  }
}

/** A connection, as far as its peer reads. */
export interface Reader {
  /** Bytes of answers that wait for it. */
  readonly backlog: number;
  /** Gives the longest of them up, unless it is all that waits: so many bytes. */
  shed(all: number): void;
}

/** Above this part of the bound a peer is expected to read without a pause. */
const CROWDED = 1 / 4;

/**
 * Bytes of answers that wait to be read, of all connections of a port together. Each connection alone is patient with a
 * peer that reads slowly, and a thousand streams of 1 MB that nobody reads took 1 GB for half a minute. Where there is
 * little room, streams on which nothing moves are given up soon; above the bound, at once, the longest of whoever leaves
 * most unread. One answer that is alone may have any length.
 */
export class Unread {
  readonly #most: number;
  readonly #readers: () => Iterable<Reader>;
  bytes = 0;

  constructor(most: number, readers: () => Iterable<Reader>) {
    this.#most = most;
    this.#readers = readers;
  }

  get isCrowded(): boolean {
    return this.bytes > CROWDED * this.#most;
  }

  look(): void {
    while (this.bytes > this.#most) {
      const before = this.bytes;
      this.#slowest()?.shed(before);
      if (this.bytes >= before) return;
    }
  }

  #slowest(): Reader | undefined {
    let found: Reader | undefined;
    for (const reader of this.#readers()) if (reader.backlog > (found?.backlog ?? 0)) found = reader;
    return found;
  }
}

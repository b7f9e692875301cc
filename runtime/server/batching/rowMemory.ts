import type { RowLayout } from './rowLayout.ts';
import { RowRing } from './rowRing.ts';

/**
 * A ring that grows. It begins with room for one full batch; a full ring is replaced by one twice as large, and the old
 * one goes when its last lease does. At its bound there is no more room, and requests get memory of their own: slower by
 * a copy, never refused.
 */
export class RowMemory {
  readonly #layout: RowLayout;
  readonly #most: number;
  #ring: RowRing;

  constructor(layout: RowLayout, first: number, most: number) {
    this.#layout = layout;
    this.#most = Math.max(1, most);
    this.#ring = new RowRing(layout, Math.min(first, this.#most));
  }

  /** The ring in which `start` of the last lease lies. */
  get ring(): RowRing {
    return this.#ring;
  }

  lease(rows: number): number | undefined {
    const start = this.#ring.lease(rows);
    if (start !== undefined || this.#ring.capacity >= this.#most || rows > this.#most) return start;
    const larger = Math.max(this.#ring.capacity * 2, rows);
    this.#ring = new RowRing(this.#layout, Math.min(larger, this.#most));
    return this.#ring.lease(rows);
  }
}

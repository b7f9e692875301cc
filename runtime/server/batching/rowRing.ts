import { type TensorValue, viewOf } from '../tensor.ts';
import type { RowLayout } from './rowLayout.ts';

/** A cache line, and more than the largest element: each input begins on one. */
const ALIGNMENT = 64;

/**
 * Rows of all inputs in one SharedArrayBuffer, given out in a circle. What was leased one after the other lies side by
 * side, so that a batch of it is a view and no copy. Memory that was never leased is never touched: the ring begins
 * anew at its first row whenever it is empty, so few callers stay within few rows (and within the processor's cache).
 */
export class RowRing {
  readonly capacity: number;
  readonly #layout: RowLayout;
  readonly #memory: SharedArrayBuffer;
  readonly #offsets: readonly number[];
  /** Rows of the lease that begins at this row. */
  readonly #lengths: Int32Array;
  readonly #held: Uint8Array;
  /** The tensors of single rows: the same for every lease of the row, so made once. */
  readonly #singles: (readonly TensorValue[] | undefined)[];
  #head = 0;
  #tail = 0;
  #used = 0;

  constructor(layout: RowLayout, capacity: number) {
    this.capacity = capacity;
    this.#layout = layout;
    const offsets: number[] = [];
    let end = 0;
    for (const { bytes } of layout.inputs) {
      offsets.push(end);
      end = Math.ceil((end + bytes * capacity) / ALIGNMENT) * ALIGNMENT;
    }
    this.#offsets = offsets;
    this.#memory = new SharedArrayBuffer(end);
    this.#lengths = new Int32Array(capacity);
    this.#held = new Uint8Array(capacity);
    this.#singles = [];
  }

  /** Rows that are leased, or lie between leases and the end of the ring. */
  get used(): number {
    return this.#used;
  }

  /** The first of `rows` rows side by side; undefined when there is no such room. */
  lease(rows: number): number | undefined {
    const toEnd = this.capacity - this.#tail;
    const gap = rows > toEnd ? toEnd : 0;
    if (this.#used + gap + rows > this.capacity) return undefined;
    if (gap > 0) this.#take(gap, 0);
    return this.#take(rows, 1);
  }

  /** Gives a lease back. Rows are free for others once all that was leased before them has been given back too. */
  release(start: number): void {
    this.#held[start] = 0;
    while (this.#used > 0 && this.#held[this.#head] === 0) {
      const rows = this.#lengths[this.#head] as number;
      this.#used -= rows;
      this.#head = (this.#head + rows) % this.capacity;
    }
    if (this.#used === 0) {
      this.#head = 0;
      this.#tail = 0;
    }
  }

  /** The inputs of `rows` rows from `start` on. */
  view(start: number, rows: number): readonly TensorValue[] {
    if (rows !== 1) return this.#viewOf(start, rows);
    let single = this.#singles[start];
    if (single === undefined) {
      single = this.#viewOf(start, 1);
      this.#singles[start] = single;
    }
    return single;
  }

  #take(rows: number, held: 0 | 1): number {
    const start = this.#tail;
    this.#lengths[start] = rows;
    this.#held[start] = held;
    this.#used += rows;
    this.#tail = (start + rows) % this.capacity;
    return start;
  }

  #viewOf(start: number, rows: number): readonly TensorValue[] {
    return this.#layout.inputs.map(({ name, datatype, shape, elements, bytes }, i) => ({
      name,
      datatype,
      shape: [rows, ...shape],
      elements: viewOf(datatype, this.#memory, (this.#offsets[i] as number) + start * bytes, rows * elements),
    }));
  }
}

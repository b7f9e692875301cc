const ALIGNMENT = 64;
const SMALLEST = 4096;

/** Memory for batches that had to be copied together: a block for each run at the same time, kept for the next one. */
export class Scratch {
  readonly #free: SharedArrayBuffer[] = [];
  readonly #kept: number;
  readonly #mostBytes: number;

  /** Keeps `kept` blocks of at most `mostBytes`; larger ones are made for one run and forgotten. */
  constructor(kept: number, mostBytes: number) {
    this.#kept = kept;
    this.#mostBytes = mostBytes;
  }

  /** One block with room for each of these, and where each begins. */
  take(sizes: readonly number[]): { memory: SharedArrayBuffer; offsets: readonly number[] } {
    const offsets: number[] = [];
    let end = 0;
    for (const size of sizes) {
      offsets.push(end);
      end = Math.ceil((end + size) / ALIGNMENT) * ALIGNMENT;
    }
    const kept = this.#free.pop();
    const memory = kept !== undefined && kept.byteLength >= end ? kept : new SharedArrayBuffer(this.#sizeFor(end));
    return { memory, offsets };
  }

  /** No run reads the block any more. */
  give(memory: SharedArrayBuffer): void {
    if (this.#free.length < this.#kept && memory.byteLength <= this.#mostBytes) this.#free.push(memory);
  }

  /** A power of two, so that batches that grow row by row don't each need a block of their own. */
  #sizeFor(bytes: number): number {
    const rounded = Math.max(SMALLEST, 2 ** Math.ceil(Math.log2(bytes)));
    return Math.max(bytes, Math.min(rounded, this.#mostBytes));
  }
}

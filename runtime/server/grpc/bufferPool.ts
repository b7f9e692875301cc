/** Smaller ones come out of Node's own pool. */
const LEAST = 64 * 1024;

/**
 * Memory for large messages, used again: fresh memory of this size is mapped and touched page by page, which costs more
 * than everything else about a message of some hundred kilobytes. Sizes are powers of two.
 */
export class BufferPool {
  readonly #maxBytes: number;
  readonly #free = new Map<number, Buffer[]>();
  #freeBytes = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** At least so many bytes, of unknown contents. */
  take(bytes: number): Buffer {
    if (bytes < LEAST) return Buffer.allocUnsafe(bytes);
    const size = 2 ** Math.ceil(Math.log2(bytes));
    const kept = this.#free.get(size)?.pop();
    if (!kept) return Buffer.allocUnsafeSlow(size);
    this.#freeBytes -= size;
    return kept;
  }

  /** Nobody looks at this memory any more. */
  give(buffer: Buffer): void {
    const size = buffer.length;
    if (size < LEAST || this.#freeBytes + size > this.#maxBytes) return;
    const kept = this.#free.get(size) ?? [];
    kept.push(buffer);
    this.#free.set(size, kept);
    this.#freeBytes += size;
  }
}

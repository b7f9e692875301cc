const SMALLEST = 64 * 1024;

/**
 * Shared memory for large bodies, used again and again: fresh memory of some megabytes costs the kernel more time to
 * bring up than the body costs to copy. Every thread can read what lies there.
 */
export class BodyRooms {
  readonly #mostKept: number;
  readonly #free = new Map<number, SharedArrayBuffer[]>();
  #kept = 0;

  /** `mostKept`: bytes of free rooms that are kept. */
  constructor(mostKept: number = 64 * 1024 * 1024) {
    this.#mostKept = mostKept;
  }

  /** A room of exactly `bytes`, with whatever was left in it. */
  take(bytes: number): Buffer {
    const size = sizeClass(bytes);
    const free = this.#free.get(size)?.pop();
    if (free) this.#kept -= size;
    return Buffer.from(free ?? new SharedArrayBuffer(size), 0, bytes);
  }

  /** Gives a room back. Nobody may look at it any more. */
  give(room: Buffer): void {
    const memory: ArrayBufferLike = room.buffer;
    if (!(memory instanceof SharedArrayBuffer)) return;
    const size = memory.byteLength;
    if (size !== sizeClass(size) || this.#kept + size > this.#mostKept) return;
    this.#kept += size;
    const free = this.#free.get(size);
    if (free) free.push(memory);
    else this.#free.set(size, [memory]);
  }
}

/** Quarters of powers of two: at most a quarter of a room is unused. */
function sizeClass(bytes: number): number {
  if (bytes <= SMALLEST) return SMALLEST;
  const step = 2 ** (Math.ceil(Math.log2(bytes)) - 3);
  return Math.ceil(bytes / step) * step;
}

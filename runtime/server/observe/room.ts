const ITEMS = 0;
const KIBIBYTES = 1;

/** KiB, rounded up: 32 bits reach far enough, and an empty tensor still takes room. */
const kibibytes = (bytes: number): number => Math.ceil((bytes + 1) / 1024);

/**
 * A bound on what is under way between two threads, by number and by bytes. The counts lie in shared memory: the
 * thread that takes sees at once what the other one gave back, without a message.
 */
export class Room {
  readonly maxBytes: number;
  readonly memory: Int32Array<SharedArrayBuffer>;
  readonly #maxItems: number;
  readonly #maxKibibytes: number;

  constructor(maxItems: number, maxBytes: number, memory = new Int32Array(new SharedArrayBuffer(8))) {
    this.#maxItems = maxItems;
    this.maxBytes = maxBytes;
    this.#maxKibibytes = kibibytes(maxBytes);
    this.memory = memory;
  }

  /** Whether one more of this size fits. Asked before anything is copied. */
  fits(bytes: number): boolean {
    return (
      Atomics.load(this.memory, ITEMS) < this.#maxItems &&
      Atomics.load(this.memory, KIBIBYTES) + kibibytes(bytes) <= this.#maxKibibytes
    );
  }

  get items(): number {
    return Atomics.load(this.memory, ITEMS);
  }

  /** False, and nothing taken, where it does not fit. */
  take(bytes: number): boolean {
    if (!this.fits(bytes)) return false;
    Atomics.add(this.memory, ITEMS, 1);
    Atomics.add(this.memory, KIBIBYTES, kibibytes(bytes));
    return true;
  }

  give(bytes: number): void {
    Atomics.sub(this.memory, ITEMS, 1);
    Atomics.sub(this.memory, KIBIBYTES, kibibytes(bytes));
  }

  /** All of it is free: whoever held it is gone. */
  clear(): void {
    Atomics.store(this.memory, ITEMS, 0);
    Atomics.store(this.memory, KIBIBYTES, 0);
  }
}

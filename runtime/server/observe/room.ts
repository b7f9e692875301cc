const ITEMS = 0;
const KIBIBYTES = 1;
const MOST = 2;

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

  /** Given `memory` it is the other end of a room: it gives back and limits, and takes nothing. */
  constructor(maxItems: number, maxBytes: number, memory?: Int32Array<SharedArrayBuffer>) {
    this.#maxItems = maxItems;
    this.maxBytes = maxBytes;
    this.#maxKibibytes = kibibytes(maxBytes);
    this.memory = memory ?? new Int32Array(new SharedArrayBuffer(12));
    if (!memory) this.limit(maxItems);
  }

  /** Whether one more of this size fits. Asked before anything is copied. */
  fits(bytes: number): boolean {
    return (
      Atomics.load(this.memory, ITEMS) < Atomics.load(this.memory, MOST) &&
      Atomics.load(this.memory, KIBIBYTES) + kibibytes(bytes) <= this.#maxKibibytes
    );
  }

  /** Not one more, of whatever size. */
  get isFull(): boolean {
    return Atomics.load(this.memory, ITEMS) >= Atomics.load(this.memory, MOST);
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

  /** So many may be under way from now on; those that already are may be more. */
  limit(items: number): void {
    Atomics.store(this.memory, MOST, items);
  }

  /** All of it is free, and as large as it was made: whoever held it is gone. */
  clear(): void {
    this.limit(this.#maxItems);
    Atomics.store(this.memory, ITEMS, 0);
    Atomics.store(this.memory, KIBIBYTES, 0);
  }
}

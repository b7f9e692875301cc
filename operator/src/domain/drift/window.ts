/** One process of a pod: its counters begin at zero when it starts. */
export interface CountingProcess {
  /** Differs from that of any other. */
  readonly id: string;
  readonly startedAt: Date;
}

export interface WindowOptions {
  /** Length of a slot, milliseconds. */
  readonly slotMs: number;
  /** Slots that make up the window. */
  readonly slots: number;
}

interface Account {
  readonly latest: readonly number[];
  readonly readAt: number;
}

const NONE: readonly number[] = [];

const added = (sum: readonly number[], part: readonly number[], share: number): readonly number[] =>
  part.map((value, i) => (sum[i] ?? 0) + value * share);

/**
 * Turns cumulative counters of processes into what was counted within a sliding window, kept as one sum a slot. What a
 * process counted between two readings is spread evenly over the time between them, so readings within one slot place
 * everything exactly. A process seen for the first time counts from its start where it started within the window, else
 * from then on: nothing is counted twice, whoever restarts. All vectors must be of one shape.
 */
export class SlidingWindow {
  readonly #slotMs: number;
  readonly #slots: number;
  readonly #sums = new Map<number, readonly number[]>();
  readonly #accounts = new Map<string, Account>();
  #latestAt = 0;

  constructor({ slotMs, slots }: WindowOptions) {
    this.#slotMs = slotMs;
    this.#slots = slots;
  }

  /** Number of the slot that a time lies in. */
  slotAt(at: Date): number {
    return Math.floor(at.getTime() / this.#slotMs);
  }

  /**
   * Takes down what a process had counted at a time. NaN: it does not tell this count now, which stays as it was told last,
   * or is 0. A clock that was set back stands still here.
   */
  record({ id, startedAt }: CountingProcess, told: readonly number[], at: Date): void {
    const now = Math.max(at.getTime(), this.#latestAt);
    this.#latestAt = now;
    const known = this.#accounts.get(id);
    const vector = told.map((value, i) => (Number.isNaN(value) ? (known?.latest[i] ?? 0) : value));
    this.#accounts.set(id, { latest: vector, readAt: now });
    const born = Math.min(startedAt.getTime(), now);
    if (known !== undefined) this.#spread(minus(vector, known.latest), known.readAt, now);
    else if (born >= now - this.#slotMs * this.#slots) this.#spread(vector, born, now);
    this.#forget(now);
  }

  /** The complete slots of the window, oldest first; a slot in which nothing was counted is empty. */
  slots(now: Date): readonly (readonly number[])[] {
    const current = this.slotAt(now);
    return Array.from({ length: this.#slots }, (_, i) => this.#sums.get(current - this.#slots + i) ?? NONE);
  }

  #spread(counted: readonly number[], from: number, to: number): void {
    if (counted.every((value) => value === 0)) return;
    const [first, last] = [Math.floor(from / this.#slotMs), Math.floor(to / this.#slotMs)];
    const oldest = Math.max(first, last - this.#slots);
    for (let slot = oldest; slot <= last; slot += 1) {
      const covered = Math.min(to, (slot + 1) * this.#slotMs) - Math.max(from, slot * this.#slotMs);
      const share = first === last ? 1 : covered / (to - from);
      if (share > 0) this.#sums.set(slot, added(this.#sums.get(slot) ?? NONE, counted, share));
    }
  }

  /** A process that was not read for a window started before it: should it come back, it is none to count from its start. */
  #forget(now: number): void {
    const oldest = Math.floor(now / this.#slotMs) - this.#slots;
    for (const slot of this.#sums.keys()) if (slot < oldest) this.#sums.delete(slot);
    const longAgo = now - this.#slotMs * (this.#slots + 1);
    for (const [id, { readAt }] of this.#accounts) if (readAt < longAgo) this.#accounts.delete(id);
  }
}

/** Floored at 0: a counter that a faulty process set back is no negative row. */
const minus = (now: readonly number[], before: readonly number[]): readonly number[] =>
  now.map((value, i) => Math.max(0, value - (before[i] ?? 0)));

/** Sum of vectors of one shape, empty ones left out. */
export const sumOf = (vectors: readonly (readonly number[])[]): readonly number[] =>
  vectors.reduce((sum, vector) => (vector.length === 0 ? sum : added(sum, vector, 1)), NONE);

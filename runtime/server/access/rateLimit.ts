/** Requests a second on the long run, and how many may come at once. */
export interface Rate {
  readonly requestsPerSecond: number;
  readonly burst: number;
}

/** A table of all addresses of a /16 and no more: some 10 MB at worst. */
const MOST_CALLERS = 65_536;
/** Sweeping costs time in proportion to the table, so a flood of new callers may not ask for it each time. */
const SWEEP_EVERY_MS = 1000;
/** Whoever finds the table full shares this caller's rate: refused a little sooner, never a way to grow it. */
const EVERYBODY_ELSE = '';

/**
 * Token buckets, one a caller, as one number each: the moment by which what it has asked for so far would have been
 * let through at the steady rate (the generic cell rate algorithm, ITU-T I.371). A caller whose moment has passed has
 * a full bucket, as one that never came has, so forgetting it changes nothing. `now`: milliseconds, monotonic.
 */
export class RateLimit {
  readonly #intervalMs: number;
  readonly #toleranceMs: number;
  readonly #most: number;
  readonly #moments = new Map<string, number>();
  #sweptAt = Number.NEGATIVE_INFINITY;

  constructor({ requestsPerSecond, burst }: Rate, most = MOST_CALLERS) {
    this.#intervalMs = 1000 / requestsPerSecond;
    this.#toleranceMs = this.#intervalMs * (burst - 1);
    this.#most = most;
  }

  /** Callers remembered at the moment. */
  get size(): number {
    return this.#moments.size;
  }

  /** Takes one request of `caller`: 0 when it may pass, else the milliseconds until the next one may. */
  take(caller: string, now: number): number {
    const known = this.#moments.get(caller);
    if (known === undefined && this.#isFull(now)) return this.#takeFrom(EVERYBODY_ELSE, now);
    return this.#takeFrom(caller, now);
  }

  #takeFrom(caller: string, now: number): number {
    const moment = Math.max(this.#moments.get(caller) ?? now, now);
    const waitMs = moment - this.#toleranceMs - now;
    if (waitMs > 0) return waitMs;
    this.#moments.set(caller, moment + this.#intervalMs);
    return 0;
  }

  #isFull(now: number): boolean {
    if (this.#moments.size < this.#most) return false;
    if (now - this.#sweptAt >= SWEEP_EVERY_MS) this.#sweep(now);
    return this.#moments.size >= this.#most;
  }

  #sweep(now: number): void {
    this.#sweptAt = now;
    for (const [caller, moment] of this.#moments) if (moment <= now) this.#moments.delete(caller);
  }
}

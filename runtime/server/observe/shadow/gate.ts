import type { ShadowEvidence, ShadowOrder } from '@slipway/crds/contract';
import type { Room } from '../room.ts';
import { continued } from './tally.ts';

/** Decides on the thread of live requests which are copied, and counts those that there was no room for. */
export class ShadowGate {
  readonly #own: Room;
  readonly #all: Room;
  readonly #now: () => number;
  #order: ShadowOrder | undefined;
  #share = 0;
  #expiresAt = 0;
  /** Identity of the last order, running or not. */
  #counting: string | undefined;
  #skipped = 0;
  /** Bytes of the last copy: a guess at the next one, made before it is. */
  #usual = 0;

  /** `own` is this model's, and as large as its candidate answers; `all` is that of all models together. */
  constructor(own: Room, all: Room, now: () => number) {
    this.#own = own;
    this.#all = all;
    this.#now = now;
  }

  follow(order: ShadowOrder | null): void {
    this.#order = order ?? undefined;
    this.#share = (order?.percent ?? 0) / 100;
    if (!order) return;
    this.#expiresAt = this.#now() + order.expiresInSeconds * 1000;
    if (order.id !== this.#counting) this.#skipped = 0;
    this.#counting = order.id;
  }

  /**
   * Counts one of all requests that should be copied while there is room for none. Asked before anything else is looked at:
   * with a candidate that hangs this is all there is to a request, and what it reads has left the caches since the last one.
   */
  skips(): boolean {
    if (this.#share < 1 || !this.#own.isFull || this.#order === undefined) return false;
    this.#skipped++;
    return true;
  }

  /** `chance` is the request's random number. */
  wants(chance: number): boolean {
    if (this.#order === undefined || chance >= this.#share) return false;
    if (!this.#own.fits(this.#usual) || !this.#all.fits(this.#usual)) {
      this.#skipped++;
      return false;
    }
    if (this.#now() < this.#expiresAt) return true;
    this.#order = undefined;
    return false;
  }

  /** Room for a copy that was wanted; false, and counted, where there is none or the order has ended meanwhile. */
  take(bytes: number): boolean {
    this.#usual = Math.min(bytes, this.#all.maxBytes);
    if (this.#order !== undefined && this.#takeBoth(bytes)) return true;
    this.#skipped++;
    return false;
  }

  #takeBoth(bytes: number): boolean {
    if (!this.#own.take(bytes)) return false;
    const taken = this.#all.take(bytes);
    if (!taken) this.#own.give(bytes);
    return taken;
  }

  /** With what the comparison has counted so far. */
  evidence(counted: ShadowEvidence | undefined): ShadowEvidence | undefined {
    if (this.#counting === undefined) return undefined;
    const here = { order: this.#counting, compared: 0, disagreed: 0, skipped: this.#skipped, failed: 0 };
    return counted?.order === this.#counting ? continued(here, counted) : here;
  }
}

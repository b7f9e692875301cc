import type { Counts } from '../analysis/confidenceSequence.ts';
import { Dispersion } from './dispersion.ts';
import { RateDispersion } from './rateDispersion.ts';

/** Slots of the window that is judged: a fault that begins now must not pass for a habit of its callers. */
const RECENT = 12;
/** Slots of history without which the window itself has to serve. */
const LEAST_HISTORY = 36;
/** Slots with the fault from which on history shows how it comes. */
const LEAST_SEEN = 4;
/** Slots with a fault that was never seen before, from which on it is no rare caller. */
const LEAST_NEW = 3;

/**
 * Design effect φ of a fault of the inputs: of what is missing, out of range, unseen or an outlier. The larger of two.
 * Dispersion is quick, and blind to clumps where a slot holds few: with one caller of 300 rows a slot, of whom one in
 * fifty sends no value, a limit of 1 % raised 181 false alarms in 30 days where 1 was allowed. RateDispersion sees these,
 * but a feature that vanishes is to it a clump as large as none was before, and is told 10 minutes later: so it is asked of
 * the time before the window, where the fault was seen often enough there, and otherwise of all. A fault that neither
 * training nor history had is Dispersion's alone from the third slot with it on: a rare caller that
 * training lacked comes in one or two.
 */
export class FaultDispersion {
  readonly #quick = new Dispersion();
  readonly #rates = new RateDispersion();

  /** Takes down the next slot. An empty one tells nothing. */
  add(slot: Counts): void {
    this.#quick.add([slot.hits, slot.total - slot.hits]);
    this.#rates.add(slot);
  }

  /** φ for a test at level `alpha`, at least 1; undefined: no pair of slots is known yet. `usual`: training had the fault. */
  at(alpha: number, usual: boolean): number | undefined {
    const quick = this.#quick.at(alpha);
    if (quick === undefined) return undefined;
    const recent = Math.max(0, Math.min(RECENT, this.#rates.length - LEAST_HISTORY));
    const seen = this.#rates.seenBefore(recent);
    if (seen === 0 && !usual && this.#rates.seenBefore(0) >= LEAST_NEW) return quick;
    return Math.max(quick, this.#rates.at(alpha, seen >= LEAST_SEEN ? recent : 0) ?? 1);
  }
}

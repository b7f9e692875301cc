import type { Counts } from '../analysis/confidenceSequence.ts';

/** Slots that are remembered: those of twelve windows, and one more for as many pairs. */
const MOST_SLOTS = 145;

const rateOf = ({ hits, total }: Counts): number => hits / total;
const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);

/**
 * Design effect φ of a rate: how many labels are worth one independent one. By how much more slots that follow each other
 * differ than chance would make them, at the one rate of all remembered slots. Each pair at its own rate, as Dispersion
 * has it, comes out too low where labels come in few clumps: two slots in which every clump was right agree, and no clump
 * is seen to be one (25 labels a clump, three clumps a slot, 95 % right: 10 instead of 25, and seven times the alarms that
 * the budget allows).
 * Source: von Neumann 1941 (successive differences); Kish 1965 (design effect).
 */
export class RateDispersion {
  readonly #slots: Counts[] = [];

  /** Takes down the next slot. An empty one tells nothing. */
  add(slot: Counts): void {
    if (slot.total <= 0) return;
    this.#slots.push(slot);
    if (this.#slots.length > MOST_SLOTS) this.#slots.shift();
  }

  /** Whether both hits and misses were seen: all of one kind shows no dispersion. */
  get varies(): boolean {
    return this.#slots.some(({ hits }) => hits > 0) && this.#slots.some(({ hits, total }) => hits < total);
  }

  /** Slots that are remembered. */
  get length(): number {
    return this.#slots.length;
  }

  /** Slots with a hit, the last `recent` left out. */
  seenBefore(recent: number): number {
    return this.#before(recent).filter(({ hits }) => hits > 0).length;
  }

  /**
   * φ by which counts are to be divided before a test at level `alpha`, at least 1: the estimate, raised as that of
   * Dispersion for how few pairs it is from, each with one degree of freedom. A rate of 0 or 1 shows no dispersion.
   * The last `recent` slots are left out. undefined: no pair is known yet.
   */
  at(alpha: number, recent = 0): number | undefined {
    const slots = this.#before(recent);
    const pairs = slots.length - 1;
    if (pairs < 1) return undefined;
    const far = Math.log(1 / alpha);
    return Math.max(1, estimate(slots) * Math.exp((far + Math.sqrt(far)) / pairs));
  }

  #before(recent: number): readonly Counts[] {
    return recent === 0 ? this.#slots : this.#slots.slice(0, -recent);
  }
}

function estimate(slots: readonly Counts[]): number {
  const rate = sum(slots.map(({ hits }) => hits)) / sum(slots.map(({ total }) => total));
  const variance = rate * (1 - rate);
  if (variance <= 0) return 1;
  const differences = slots.slice(1).map((slot, i) => {
    const before = slots[i] ?? slot;
    return (rateOf(slot) - rateOf(before)) ** 2 / (1 / slot.total + 1 / before.total);
  });
  return sum(differences) / variance / (slots.length - 1);
}

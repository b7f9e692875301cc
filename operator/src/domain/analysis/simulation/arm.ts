import type { Counts } from '../confidenceSequence.ts';
import { type Assumption, effectiveCounts, type History, noHistory } from '../designEffect.ts';
import { type Batches, noBatches } from '../tally.ts';
import { drawn, type Seconds } from './traffic.ts';

const NOTHING = { hits: 0, total: 0 };

/** The counters of one version, as its pods keep them: cumulative, with a batch for each second. */
export class Arm {
  hits = 0;
  total = 0;
  readonly #tested: number | undefined;
  #step = { hits: 0, total: 0, batches: noBatches };
  #open: Counts = NOTHING;
  /** Before this step. */
  #before: History = noHistory;

  /** `tested`: the rate that it is held against. */
  constructor(tested?: number) {
    this.#tested = tested;
  }

  /** A new step begins: what came before belongs to another comparison. */
  anew(): void {
    this.#before = this.history;
    [this.hits, this.total] = [0, 0];
    this.#step = { hits: 0, total: 0, batches: noBatches };
    this.#open = NOTHING;
  }

  /** A second with so many requests at this rate. */
  second(uniform: () => number, requests: number, rate: number): void {
    this.part(uniform, requests, rate);
    this.endSecond();
  }

  /** Part of a second of the pods. */
  part(uniform: () => number, requests: number, rate: number): void {
    if (requests <= 0) return;
    const hits = drawn(uniform, requests, rate);
    this.hits += hits;
    this.total += requests;
    this.#step = { ...this.#step, hits: this.#step.hits + hits, total: this.#step.total + requests };
    this.#open = { hits: this.#open.hits + hits, total: this.#open.total + requests };
  }

  endSecond(): void {
    this.#step = { ...this.#step, batches: this.#batches };
    this.#open = NOTHING;
  }

  /** The open second counts as it stands, as in the pods. */
  get #batches(): Batches {
    const { count, squaredOverTotal } = this.#step.batches;
    const { hits, total } = this.#open;
    return total === 0
      ? this.#step.batches
      : { count: count + 1, squaredOverTotal: squaredOverTotal + (hits * hits) / total };
  }

  /** What its only pod counted in its life. */
  get history(): History {
    const { hits, total, batches } = this.#before;
    const now = this.#batches;
    return {
      hits: hits + this.#step.hits,
      total: total + this.#step.total,
      batches: {
        count: batches.count + now.count,
        squaredOverTotal: batches.squaredOverTotal + now.squaredOverTotal,
      },
      pods: 1,
    };
  }

  get share(): number {
    return this.total === 0 ? 0 : this.hits / this.total;
  }

  /** What the guards judge. */
  get counts(): Counts {
    return this.testedAt(this.#tested);
  }

  /** What the guards judge against this rate. */
  testedAt(rate: number | Assumption | undefined): Counts {
    const { hits, total } = this.#step;
    return effectiveCounts(hits, total, this.#batches, rate);
  }
}

/** Requests of one second that a split gives an arm: whole ones, the rest by chance. */
export const portion = (uniform: () => number, perSecond: number, share: number): number =>
  Math.floor(perSecond * share + uniform());

/** A rate that begins to be another after some seconds. */
export const from = (seconds: number, before: number, then: number): Seconds => {
  let passed = 0;
  return () => {
    passed += 1;
    return passed > seconds ? then : before;
  };
};

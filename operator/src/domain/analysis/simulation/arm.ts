import type { Counts } from '../confidenceSequence.ts';
import { effectiveCounts, together } from '../designEffect.ts';
import { noBatches } from '../tally.ts';
import { drawn, type Seconds } from './traffic.ts';

/** The counters of one version, as its pods keep them: cumulative, with a batch for each second. */
export class Arm {
  hits = 0;
  total = 0;
  #step = { hits: 0, total: 0, batches: noBatches };
  #before: Counts = { hits: 0, total: 0 };

  /** A new step begins: what came before keeps its own design effect. */
  begin(): void {
    this.#before = this.counts;
    this.#step = { hits: 0, total: 0, batches: noBatches };
  }

  /** A second with so many requests at this rate. */
  second(uniform: () => number, requests: number, rate: number): void {
    if (requests <= 0) return;
    const hits = drawn(uniform, requests, rate);
    this.hits += hits;
    this.total += requests;
    const { count, squaredOverTotal } = this.#step.batches;
    this.#step = {
      hits: this.#step.hits + hits,
      total: this.#step.total + requests,
      batches: { count: count + 1, squaredOverTotal: squaredOverTotal + (hits * hits) / requests },
    };
  }

  get share(): number {
    return this.total === 0 ? 0 : this.hits / this.total;
  }

  /** What the guards judge. */
  get counts(): Counts {
    const { hits, total, batches } = this.#step;
    return together(this.#before, effectiveCounts(hits, total, batches));
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

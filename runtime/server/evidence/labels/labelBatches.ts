import type { Evidence } from '@slipway/crds/contract';

/** Words in shared memory: seconds, and the sum over them of wrong²/labelled. */
export const LABEL_BATCH_WORDS = 2;
const SECONDS = 0;
const SQUARES = 1;

/** Labels for more seconds than these, in no order, make more batches than there were seconds: each counts for less. */
const MOST_SECONDS = 10_000;

interface Second {
  wrong: number;
  labelled: number;
}

/**
 * Groups labels by the second in which their request was answered, for the design effect. A second of the labels' own
 * coming tells nothing: a night's labels come in one request, and would be worth no more than one second.
 */
export class LabelBatches {
  readonly #words: Float64Array;
  /** The seconds labelled last, the newest of them at the end. */
  readonly #open = new Map<number, Second>();

  constructor(words: Float64Array) {
    this.#words = words;
  }

  /** `answeredAt`: epoch milliseconds of the answer, not of its label. */
  count(wrong: boolean, answeredAt: number): void {
    const key = Math.floor(answeredAt / 1000);
    const second = this.#open.get(key) ?? this.#begin();
    const before = squareOf(second);
    second.labelled += 1;
    if (wrong) second.wrong += 1;
    this.#words[SQUARES] = (this.#words[SQUARES] as number) + squareOf(second) - before;
    this.#open.delete(key);
    this.#open.set(key, second);
  }

  counts(): NonNullable<NonNullable<Evidence['labels']>['batches']> {
    const [seconds = 0, squares = 0] = this.#words;
    // Sums of differences may end a rounding below zero.
    return { seconds, wrongSquaredOverLabelled: Math.max(0, squares) };
  }

  #begin(): Second {
    this.#words[SECONDS] = (this.#words[SECONDS] as number) + 1;
    const [oldest] = this.#open.keys();
    if (this.#open.size >= MOST_SECONDS && oldest !== undefined) this.#open.delete(oldest);
    return { wrong: 0, labelled: 0 };
  }
}

const squareOf = ({ wrong, labelled }: Second): number => (labelled === 0 ? 0 : (wrong * wrong) / labelled);

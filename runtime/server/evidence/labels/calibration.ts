import { CALIBRATION_BINS, type Evidence } from '@slipway/crds/contract';

type Bins = NonNullable<NonNullable<Evidence['labels']>['calibration']>['bins'];

const [ANSWERS, RIGHT, CONFIDENCE] = [0, CALIBRATION_BINS, 2 * CALIBRATION_BINS];
/** Words in shared memory: of each bin labelled answers, those that were right, and the sum of their confidences. */
export const CALIBRATION_WORDS = 3 * CALIBRATION_BINS;

/** Of a forest of ten trees six say 0.60000002: that is held to be 0.6, in the bin that it closes. */
const ROUNDING = 1e-5;

/** How sure the model was of the answers that labels came for, and how often it was right, by how sure it was. */
export class Calibration {
  readonly #words: Float64Array;

  constructor(words: Float64Array) {
    this.#words = words;
  }

  /** `confidence`: from 0 to 1; NaN, of an answer that told none, is not counted. */
  count(confidence: number, right: boolean): void {
    if (Number.isNaN(confidence)) return;
    const bin = Math.max(0, Math.ceil((confidence - ROUNDING) * CALIBRATION_BINS) - 1);
    this.#add(ANSWERS + bin, 1);
    if (right) this.#add(RIGHT + bin, 1);
    this.#add(CONFIDENCE + bin, confidence);
  }

  /** Undefined before the first: a model that tells no probabilities has none. */
  counts(): { readonly bins: Bins } | undefined {
    const bins: Bins = Array.from({ length: CALIBRATION_BINS }, (_, bin) => ({
      n: this.#words[ANSWERS + bin] as number,
      right: this.#words[RIGHT + bin] as number,
      confidence: this.#words[CONFIDENCE + bin] as number,
    }));
    return bins.some(({ n }) => n > 0) ? { bins } : undefined;
  }

  #add(word: number, amount: number): void {
    this.#words[word] = (this.#words[word] as number) + amount;
  }
}

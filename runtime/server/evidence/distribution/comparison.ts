import type { Baseline, Evidence, Signature } from '@slipway/crds/contract';
import type { TensorValue } from '../../tensor.ts';
import { Distribution, distributionWords } from './distribution.ts';
import { chiSquarePoint } from './rowDistance.ts';

/**
 * Values that are counted for one row at most; where the baseline has more, every second (third, …) row is counted,
 * over the runs and not in each anew, so that the share holds for runs of one row too. At some 10 ns a value this
 * bounds the cost of a row by a few microseconds, which a model with so many features does not notice.
 */
export const VALUES_A_ROW = 256;

export const comparisonWords = ({ features, predictions }: Baseline) => ({
  features: distributionWords(features),
  predictions: distributionWords(predictions),
  judgedRows: 1,
  /** Rows whose distance was judged, and those beyond. */
  outliers: 2,
});
type Sections = Readonly<Record<keyof ReturnType<typeof comparisonWords>, Float64Array>>;

const add = (words: Float64Array, at: number, amount: number): void => {
  words[at] = (words[at] as number) + amount;
};

/** Holds what a model is asked and answers against what it saw in training. */
export class BaselineComparison {
  readonly #features: Distribution;
  readonly #predictions: Distribution;
  readonly #farthest: number;
  readonly #sections: Sections;
  /** Rows to pass over before the next that is counted. */
  #passOver = 0;
  #distances = new Float64Array(64);
  #ignored = new Float64Array(64);

  /** The baseline must fit the signature (see readBaseline). */
  constructor(baseline: Baseline, signature: Signature, sections: Sections) {
    this.#features = new Distribution(baseline.features, signature.inputs, sections.features);
    this.#predictions = new Distribution(baseline.predictions, signature.outputs, sections.predictions);
    this.#farthest = baseline.outliers?.threshold ?? chiSquarePoint(this.#features.spreading);
    this.#sections = sections;
  }

  ran(inputs: readonly TensorValue[], outputs: readonly TensorValue[], rows: number): void {
    const cost = this.#features.cost(inputs) + this.#predictions.cost(outputs);
    const step = cost > VALUES_A_ROW * rows ? Math.ceil(cost / rows / VALUES_A_ROW) : 1;
    const from = this.#passOver;
    const judged = from < rows ? Math.floor((rows - 1 - from) / step) + 1 : 0;
    this.#passOver = from + judged * step - rows;
    if (this.#distances.length < judged) this.#grow(judged);
    this.#distances.fill(0, 0, judged);
    const complete = this.#features.count(inputs, rows, from, step, this.#distances);
    this.#predictions.count(outputs, rows, from, step, this.#ignored);
    add(this.#sections.judgedRows, 0, judged);
    if (complete && this.#features.spreading > 0) this.#judge(judged);
  }

  counts(): Pick<Evidence, 'features' | 'predictions' | 'outliers'> {
    const [judged = 0, beyond = 0] = this.#sections.outliers;
    return {
      features: this.#features.counts(),
      predictions: this.#predictions.counts(),
      ...(this.#features.spreading > 0 ? { outliers: { judged, beyond } } : {}),
    };
  }

  get judgedRows(): number {
    return this.#sections.judgedRows[0] as number;
  }

  #judge(rows: number): void {
    let beyond = 0;
    for (let row = 0; row < rows; row++) if ((this.#distances[row] as number) > this.#farthest) beyond += 1;
    add(this.#sections.outliers, 0, rows);
    add(this.#sections.outliers, 1, beyond);
  }

  #grow(rows: number): void {
    this.#distances = new Float64Array(rows);
    this.#ignored = new Float64Array(rows);
  }
}

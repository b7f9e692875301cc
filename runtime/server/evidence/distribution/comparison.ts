import type { Baseline, Evidence, Signature } from '@slipway/crds/contract';
import type { TensorValue } from '../../tensor.ts';
import { Distribution, distributionWords, type Judge } from './distribution.ts';
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

  /** The baseline must fit the signature (see readBaseline). */
  constructor(baseline: Baseline, signature: Signature, sections: Sections) {
    const { features, predictions } = baseline;
    const judge: Judge = (distances, rows) => this.#judge(distances, rows);
    this.#features = new Distribution(features, signature.inputs, sections.features, judge);
    this.#predictions = new Distribution(predictions, signature.outputs, sections.predictions, () => undefined);
    this.#farthest = baseline.outliers?.threshold ?? chiSquarePoint(this.#features.spreading);
    this.#sections = sections;
  }

  ran(inputs: readonly TensorValue[], outputs: readonly TensorValue[], rows: number): void {
    const cost = this.#features.cost(inputs) + this.#predictions.cost(outputs);
    const step = cost > VALUES_A_ROW * rows ? Math.ceil(cost / rows / VALUES_A_ROW) : 1;
    const from = this.#passOver;
    const judged = from < rows ? Math.floor((rows - 1 - from) / step) + 1 : 0;
    this.#passOver = from + judged * step - rows;
    this.#features.count(inputs, rows, from, step, judged);
    this.#predictions.count(outputs, rows, from, step, judged);
    add(this.#sections.judgedRows, 0, judged);
  }

  counts(): Pick<Evidence, 'features' | 'predictions' | 'outliers'> {
    const features = this.#features.counts();
    const [judged = 0, beyond = 0] = this.#sections.outliers;
    return {
      features,
      predictions: this.#predictions.counts(),
      ...(this.#features.spreading > 0 ? { outliers: { judged, beyond } } : {}),
    };
  }

  get judgedRows(): number {
    return this.#sections.judgedRows[0] as number;
  }

  #judge(distances: Float64Array, rows: number): void {
    if (this.#features.spreading === 0) return;
    let beyond = 0;
    for (let row = 0; row < rows; row++) if ((distances[row] as number) > this.#farthest) beyond += 1;
    add(this.#sections.outliers, 0, rows);
    add(this.#sections.outliers, 1, beyond);
  }
}

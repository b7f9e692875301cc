import type { Prediction } from '@slipway/crds/contract';

/** The class that precision, recall and every score-based metric are about. */
const isPositive = (value: number | string): boolean => value === 1 || value === '1';

/** Held-out examples, column by column in ascending order of score, so that every metric is one pass. */
export interface Sample {
  readonly size: number;
  /** 1 where the prediction equals the label. */
  readonly correct: Uint8Array;
  /** 1 where the label is the positive class. */
  readonly positive: Uint8Array;
  /** 1 where the predicted class is the positive one. */
  readonly flagged: Uint8Array;
  /** Probability of the positive class; NaN where the file gives none. */
  readonly score: Float64Array;
}

export function sampleOf(predictions: readonly Prediction[]): Sample {
  const sorted = [...predictions].sort((a, b) => (a.score ?? 0) - (b.score ?? 0));
  const flags = (is: (prediction: Prediction) => boolean) => Uint8Array.from(sorted, (p) => (is(p) ? 1 : 0));
  return {
    size: sorted.length,
    correct: flags((p) => String(p.prediction) === String(p.label)),
    positive: flags((p) => isPositive(p.label)),
    flagged: flags((p) => isPositive(p.prediction)),
    score: Float64Array.from(sorted, (p) => p.score ?? Number.NaN),
  };
}

/** How often each example counts; a bootstrap resample is nothing else. Unset: once. */
export type Weights = ArrayLike<number>;

export const everyOnce = (sample: Sample): Weights => new Uint8Array(sample.size).fill(1);

import type { Prediction } from '@slipway/crds/contract';

/** The class that precision, recall and every score-based metric are about. */
const POSITIVE = '1';
/** Names of two classes that leave no doubt which is the positive one. */
const BINARY: ReadonlySet<string> = new Set(['0', POSITIVE]);

/** Held-out examples, column by column in the order of the file, so that two versions can be compared row by row. */
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
  /** Examples in ascending order of score, so that ranking is one pass. */
  readonly byScore: Uint32Array;
  /** Labels and predictions as numbers; NaN where they are words. */
  readonly labelValue: Float64Array;
  readonly predictedValue: Float64Array;
  /** Classes that occur, sorted; `label` and `predicted` are indexes into it. Empty where there are too many to be classes. */
  readonly classes: readonly string[];
  readonly label: Uint16Array;
  readonly predicted: Uint16Array;
  /** Two classes of which 1 is the positive one; otherwise precision, recall and f1 are averages over the classes. */
  readonly isBinary: boolean;
}

/** More different values than this are measurements and no classes. */
const MOST_CLASSES = 1000;

/** Columns of some predictions. What the classes are, `among` says: a slice, or another version, may show fewer of them. */
export function sampleOf(predictions: readonly Prediction[], among: readonly Prediction[] = predictions): Sample {
  const score = Float64Array.from(predictions, (p) => p.score ?? Number.NaN);
  const flags = (is: (prediction: Prediction) => boolean) => Uint8Array.from(predictions, (p) => (is(p) ? 1 : 0));
  return {
    size: predictions.length,
    correct: flags((p) => String(p.prediction) === String(p.label)),
    positive: flags((p) => String(p.label) === POSITIVE),
    flagged: flags((p) => String(p.prediction) === POSITIVE),
    score,
    byScore: Uint32Array.from(predictions.keys()).sort((a, b) => (score[a] ?? 0) - (score[b] ?? 0) || a - b),
    labelValue: Float64Array.from(predictions, (p) => Number(p.label)),
    predictedValue: Float64Array.from(predictions, (p) => Number(p.prediction)),
    ...classesOf(predictions, among),
  };
}

function classesOf(predictions: readonly Prediction[], among: readonly Prediction[]) {
  const names = new Set(among.flatMap(({ label, prediction }) => [String(label), String(prediction)]));
  const isBinary = names.size <= 2 && ([...names].every((name) => BINARY.has(name)) || names.has(POSITIVE));
  const classes = names.size > MOST_CLASSES ? [] : [...names].sort();
  const index = new Map(classes.map((name, i) => [name, i]));
  return {
    classes,
    isBinary,
    label: Uint16Array.from(predictions, (p) => index.get(String(p.label)) ?? 0),
    predicted: Uint16Array.from(predictions, (p) => index.get(String(p.prediction)) ?? 0),
  };
}

/** How often each example counts; a bootstrap resample is nothing else. */
export type Weights = ArrayLike<number>;

export const everyOnce = (sample: Sample): Weights => new Uint8Array(sample.size).fill(1);

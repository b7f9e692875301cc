import type { Sample, Weights } from '../sample.ts';

/** Successes of trials. */
export interface Count {
  readonly successes: number;
  readonly trials: number;
}

const EVERY = 1;

/** Of the examples that `among` marks, those that `of` marks too. */
export function countOf(of: Uint8Array, among: Uint8Array | undefined): Count {
  let successes = 0;
  let trials = 0;
  for (let i = 0; i < of.length; i++) {
    const counted = among?.[i] ?? EVERY;
    trials += counted;
    successes += counted * (of[i] ?? 0);
  }
  return { successes, trials };
}

/** The share of `of` among `among`, weighted; NaN where nothing is marked. */
export function shareOf(of: Uint8Array, among: Uint8Array | undefined, weights: Weights): number {
  let successes = 0;
  let trials = 0;
  for (let i = 0; i < of.length; i++) {
    const weight = (among?.[i] ?? EVERY) * (weights[i] ?? 0);
    trials += weight;
    successes += weight * (of[i] ?? 0);
  }
  return successes / trials;
}

export const inverted = (flags: Uint8Array): Uint8Array => flags.map((flag) => 1 - flag);

/** Right predictions of each class, by what the label says (`label`) or what was predicted. */
export function rightByClass({ size, classes, correct, label, predicted }: Sample, by: 'label' | 'predicted'): Count[] {
  const counts = classes.map(() => ({ successes: 0, trials: 0 }));
  const index = by === 'label' ? label : predicted;
  for (let i = 0; i < size; i++) {
    const count = counts[index[i] ?? 0];
    if (!count) continue;
    count.trials += 1;
    count.successes += correct[i] ?? 0;
  }
  return counts;
}

interface Cells {
  readonly truePositive: Float64Array;
  readonly labelled: Float64Array;
  readonly predictedAs: Float64Array;
}

function cellsOf({ size, classes, correct, label, predicted }: Sample, weights: Weights): Cells {
  const [truePositive, labelled, predictedAs] = [0, 0, 0].map(() => new Float64Array(classes.length)) as [
    Float64Array,
    Float64Array,
    Float64Array,
  ];
  for (let i = 0; i < size; i++) {
    const weight = weights[i] ?? 0;
    const [truth, guess] = [label[i] ?? 0, predicted[i] ?? 0];
    labelled[truth] = (labelled[truth] ?? 0) + weight;
    predictedAs[guess] = (predictedAs[guess] ?? 0) + weight;
    if (correct[i] === 1) truePositive[truth] = (truePositive[truth] ?? 0) + weight;
  }
  return { truePositive, labelled, predictedAs };
}

/** Mean over the classes for which it is defined. */
const meanOfDefined = (values: readonly number[]): number => {
  const defined = values.filter((value) => !Number.isNaN(value));
  return defined.reduce((sum, value) => sum + value, 0) / defined.length;
};

/** Mean share of right answers over the classes that occur as labels: balanced accuracy, and macro recall. */
export function macroRecall(sample: Sample, weights: Weights): number {
  const { truePositive, labelled } = cellsOf(sample, weights);
  return meanOfDefined(Array.from(truePositive, (right, i) => right / (labelled[i] ?? 0)));
}

/** Mean over the classes that were predicted: a class that is never predicted has no precision. */
export function macroPrecision(sample: Sample, weights: Weights): number {
  const { truePositive, predictedAs } = cellsOf(sample, weights);
  return meanOfDefined(Array.from(truePositive, (right, i) => right / (predictedAs[i] ?? 0)));
}

/** Mean F1 over the classes that occur as labels or predictions. */
export function macroF1(sample: Sample, weights: Weights): number {
  const { truePositive, labelled, predictedAs } = cellsOf(sample, weights);
  return meanOfDefined(
    Array.from(truePositive, (right, i) => (2 * right) / ((labelled[i] ?? 0) + (predictedAs[i] ?? 0))),
  );
}

/** Of the examples that are positive or flagged, those that are both: Jaccard's index J; F1 is 2 J / (1 + J). */
export function jaccardCount({ size, positive, flagged }: Sample): Count {
  let successes = 0;
  let trials = 0;
  for (let i = 0; i < size; i++) {
    const [truth, guess] = [positive[i] ?? 0, flagged[i] ?? 0];
    successes += truth * guess;
    trials += truth | guess;
  }
  return { successes, trials };
}

export function f1OfPositive({ size, positive, flagged }: Sample, weights: Weights): number {
  let both = 0;
  let marks = 0;
  for (let i = 0; i < size; i++) {
    const [truth, guess, weight] = [positive[i] ?? 0, flagged[i] ?? 0, weights[i] ?? 0];
    both += truth * guess * weight;
    marks += (truth + guess) * weight;
  }
  return (2 * both) / marks;
}

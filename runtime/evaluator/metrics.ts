import type { Gate } from '@slipway/crds';
import { everyOnce, type Sample, type Weights } from './sample.ts';

export type Metric = Gate['metric'];

/** A share of some of the examples: its interval is known without resampling. */
interface Proportion {
  readonly kind: 'proportion';
  readonly count: (sample: Sample) => { readonly successes: number; readonly trials: number };
}

/** Anything else: a number of the whole sample, NaN where it is undefined (one class only). */
interface Statistic {
  readonly kind: 'statistic';
  readonly needsScore: boolean;
  readonly of: (sample: Sample, weights: Weights) => number;
  /** Highest possible value, what stands for "nothing is known" above. */
  readonly supremum: number;
}

/** Every metric a gate can name. Definitions as in scikit-learn's metrics guide, for two classes. */
export const METRICS: Readonly<Record<Metric, Proportion | Statistic>> = {
  accuracy: { kind: 'proportion', count: (s) => ({ successes: total(s.correct), trials: s.size }) },
  balancedAccuracy: { kind: 'statistic', needsScore: false, of: balancedAccuracy, supremum: 1 },
  precision: { kind: 'proportion', count: (s) => ({ successes: both(s), trials: total(s.flagged) }) },
  recall: { kind: 'proportion', count: (s) => ({ successes: both(s), trials: total(s.positive) }) },
  f1: { kind: 'statistic', needsScore: false, of: f1, supremum: 1 },
  rocAuc: { kind: 'statistic', needsScore: true, of: rocAuc, supremum: 1 },
  logLoss: { kind: 'statistic', needsScore: true, of: logLoss, supremum: -Math.log(Number.EPSILON) },
  brier: { kind: 'statistic', needsScore: true, of: brier, supremum: 1 },
};

/** The metric of the sample as it is; NaN where it is undefined. */
export function measure(metric: Metric, sample: Sample): number {
  const definition = METRICS[metric];
  if (definition.kind === 'statistic') return definition.of(sample, everyOnce(sample));
  const { successes, trials } = definition.count(sample);
  return successes / trials;
}

const total = (flags: Uint8Array): number => flags.reduce((sum, flag) => sum + flag, 0);
const both = ({ flagged, positive }: Sample): number =>
  flagged.reduce((sum, flag, i) => sum + flag * (positive[i] ?? 0), 0);

/** Weighted confusion matrix of the positive class. */
function confusion({ size, positive, flagged }: Sample, weights: Weights) {
  // Indexed by 2 * label + prediction.
  const cells = [0, 0, 0, 0];
  for (let i = 0; i < size; i++) {
    const cell = 2 * (positive[i] ?? 0) + (flagged[i] ?? 0);
    cells[cell] = (cells[cell] ?? 0) + (weights[i] ?? 0);
  }
  const [trueNegative = 0, falsePositive = 0, falseNegative = 0, truePositive = 0] = cells;
  return { trueNegative, falsePositive, falseNegative, truePositive };
}

function balancedAccuracy(sample: Sample, weights: Weights): number {
  const { trueNegative, falsePositive, falseNegative, truePositive } = confusion(sample, weights);
  const sensitivity = truePositive / (truePositive + falseNegative);
  const specificity = trueNegative / (trueNegative + falsePositive);
  return (sensitivity + specificity) / 2;
}

function f1(sample: Sample, weights: Weights): number {
  const { falsePositive, falseNegative, truePositive } = confusion(sample, weights);
  return (2 * truePositive) / (2 * truePositive + falsePositive + falseNegative);
}

/** Chance that a positive scores above a negative, ties counting half (Mann–Whitney U). */
function rocAuc({ size, positive, score }: Sample, weights: Weights): number {
  let wins = 0;
  let negativesBelow = 0;
  let positives = 0;
  for (let i = 0; i < size; ) {
    const tie = score[i];
    let tiedPositives = 0;
    let tiedNegatives = 0;
    for (; i < size && score[i] === tie; i++) {
      const weight = weights[i] ?? 0;
      if (positive[i] === 1) tiedPositives += weight;
      else tiedNegatives += weight;
    }
    wins += tiedPositives * (negativesBelow + tiedNegatives / 2);
    positives += tiedPositives;
    negativesBelow += tiedNegatives;
  }
  return wins / (positives * negativesBelow);
}

/** Scores are held off 0 and 1 by the smallest step of a double, or one sure mistake would be infinite. */
function logLoss(sample: Sample, weights: Weights): number {
  return weightedMean(sample, weights, (score, positive) => {
    const likelihood = positive === 1 ? score : 1 - score;
    return -Math.log(Math.max(likelihood, Number.EPSILON));
  });
}

function brier(sample: Sample, weights: Weights): number {
  return weightedMean(sample, weights, (score, positive) => (score - positive) ** 2);
}

function weightedMean(
  { size, score, positive }: Sample,
  weights: Weights,
  termOf: (score: number, positive: number) => number,
): number {
  let sum = 0;
  let weight = 0;
  for (let i = 0; i < size; i++) {
    const times = weights[i] ?? 0;
    if (times === 0) continue;
    sum += times * termOf(score[i] ?? Number.NaN, positive[i] ?? 0);
    weight += times;
  }
  return sum / weight;
}

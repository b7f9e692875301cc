import type { Sample, Weights } from '../sample.ts';

/** Chance that a positive scores above a negative, ties counting half (Mann–Whitney U). */
export function rocAuc({ size, positive, score, byScore }: Sample, weights: Weights): number {
  let wins = 0;
  let negativesBelow = 0;
  let positives = 0;
  for (let rank = 0; rank < size; ) {
    const tie = score[byScore[rank] ?? 0];
    let tiedPositives = 0;
    let tiedNegatives = 0;
    for (; rank < size && score[byScore[rank] ?? 0] === tie; rank++) {
      const i = byScore[rank] ?? 0;
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
export const logLossOf = ({ score, positive }: Sample, i: number): number => {
  const s = score[i] ?? Number.NaN;
  return -Math.log(Math.max(positive[i] === 1 ? s : 1 - s, Number.EPSILON));
};

/** Squared distance of score and label (Brier 1950). */
export const brierOf = ({ score, positive }: Sample, i: number): number =>
  ((score[i] ?? Number.NaN) - (positive[i] ?? 0)) ** 2;

export function weightedMean(size: number, weights: Weights, termOf: (example: number) => number): number {
  let sum = 0;
  let weight = 0;
  for (let i = 0; i < size; i++) {
    const times = weights[i] ?? 0;
    if (times === 0) continue;
    sum += times * termOf(i);
    weight += times;
  }
  return sum / weight;
}

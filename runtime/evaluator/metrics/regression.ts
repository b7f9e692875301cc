import type { Sample, Weights } from '../sample.ts';
import { weightedMean } from './scores.ts';

const errorOf = ({ labelValue, predictedValue }: Sample, i: number): number =>
  (predictedValue[i] ?? Number.NaN) - (labelValue[i] ?? Number.NaN);

export const absoluteErrorOf = (sample: Sample, i: number): number => Math.abs(errorOf(sample, i));

export const squaredErrorOf = (sample: Sample, i: number): number => errorOf(sample, i) ** 2;

const meanSquaredError = (sample: Sample, weights: Weights): number =>
  weightedMean(sample.size, weights, (i) => squaredErrorOf(sample, i));

/** Share of the labels' variance that the predictions explain; NaN where all labels are the same. */
export function r2(sample: Sample, weights: Weights): number {
  const { size, labelValue } = sample;
  const mean = weightedMean(size, weights, (i) => labelValue[i] ?? Number.NaN);
  const variance = weightedMean(size, weights, (i) => ((labelValue[i] ?? Number.NaN) - mean) ** 2);
  return variance === 0 ? Number.NaN : 1 - meanSquaredError(sample, weights) / variance;
}

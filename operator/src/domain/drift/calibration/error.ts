import { normalUpperTail } from '../../analysis/chiSquare.ts';
import type { Interval } from '../../analysis/confidenceSequence.ts';
import { leastMean } from '../../analysis/hoeffding.ts';
import type { CalibrationBin } from '../counts.ts';
import { against } from './excess.ts';
import { PATTERNS } from './patterns.ts';

/** Expected calibration error of the window, and what it is made of. */
export interface CalibrationError extends Interval {
  readonly value: number;
  readonly n: number;
}

const sumOver = (bins: readonly CalibrationBin[], of: (bin: CalibrationBin) => number): number =>
  bins.reduce((sum, bin) => sum + of(bin), 0);
export const labelsOf = (bins: readonly CalibrationBin[]): number => sumOver(bins, ({ n }) => n);

/** Mean of |X| for X normal (Leone, Nelson & Nottingham 1961). */
function foldedMean(mean: number, deviation: number): number {
  if (deviation === 0) return mean;
  const ratio = mean / deviation;
  const density = Math.sqrt(2 / Math.PI) * Math.exp(-(ratio ** 2) / 2);
  return deviation * density + mean * (1 - 2 * normalUpperTail(ratio));
}

const HALVINGS = 40;

/**
 * The raw error without what chance adds to it: the error at which the raw one would be expected, were each bin off by it.
 * The raw error of a perfect model is above 0, the more so the fewer its labels (Kumar, Liang & Ma 2019).
 */
function withoutChance(raw: number, bins: readonly CalibrationBin[], phi: number): number {
  const total = labelsOf(bins);
  const spread = bins.map(({ n, right }) => {
    const rate = (right + 1) / (n + 2);
    return { share: n / total, deviation: n === 0 ? 0 : Math.sqrt((phi * rate * (1 - rate)) / n) };
  });
  const expectedAt = (error: number): number =>
    spread.reduce((sum, { share, deviation }) => sum + share * foldedMean(error, deviation), 0);
  if (expectedAt(0) >= raw) return 0;
  let [low, high] = [0, 1];
  for (let i = 0; i < HALVINGS; i += 1) {
    const middle = (low + high) / 2;
    if (expectedAt(middle) < raw) low = middle;
    else high = middle;
  }
  return low;
}

/** Design effects for the bounds, in the order of PATTERNS, and the one that the labels showed. */
export interface Effects {
  readonly bounds: readonly number[];
  readonly shown: number;
}

/**
 * Expected calibration error Σ n/N·|mean confidence − share right| over ten bins of the predicted class's probability, with
 * bounds that each fail at one look with a chance of at most `alpha`, whatever the chance of each label is:
 * - low: were the error no more than e, the hits of each pattern would on average be at most N·e above what the
 *   probabilities say. So the lower bound of their mean bounds e, and so does the largest over all patterns, each at its
 *   share of alpha. One sum over all bins: a bound for each bin would ask for several times the labels.
 * - high: of the 2^k sums that k bins can make with signs, none is above its mean by more than √(N·ln(2^k/alpha)/2).
 * Both are about the binned error, which is never above the one without bins (Kumar et al. 2019).
 * Source: Naeini, Cooper & Hauskrecht 2015; Guo et al. 2017 (the error); Hoeffding 1963, Theorem 2; Weissman et al. 2003 (the signs).
 */
export function calibrationError(bins: readonly CalibrationBin[], effects: Effects, alpha: number): CalibrationError {
  const n = labelsOf(bins);
  const raw = sumOver(bins, ({ right, confidence }) => Math.abs(confidence - right)) / n;
  const lows = PATTERNS.map((pattern, i) => {
    const { hits, expected, total } = against(bins, pattern);
    if (hits <= expected) return 0;
    const phi = effects.bounds[i] ?? 1;
    return leastMean({ hits: hits / phi, total: total / phi }, alpha * pattern.share) - expected / total;
  });
  const low = Math.max(0, ...lows);
  const used = bins.filter((bin) => bin.n > 0).length;
  const phi = Math.max(...effects.bounds);
  const high = Math.min(1, raw + Math.sqrt((phi * (used * Math.LN2 + Math.log(1 / alpha))) / (2 * n)));
  return { n, low, high, value: Math.min(high, Math.max(low, withoutChance(raw, bins, effects.shown))) };
}

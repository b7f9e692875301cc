import type { Estimate } from '../intervals/interval.ts';
import { normalCdf, Z95 } from '../intervals/normal.ts';
import type { RandomBelow } from '../random.ts';
import type { Sample, Weights } from '../sample.ts';

export const BINS = 15;
const LABEL_DRAWS = 400;
const UNIT = 1 << 30;

/**
 * Bin of each example: 15 of equal mass by score. Equal scores stay together, or the order of the file would decide which
 * bin a label falls into.
 */
export function equalMassBins({ size, byScore, score }: Sample): Uint8Array {
  const bins = new Uint8Array(size);
  const at = (rank: number) => score[byScore[rank] ?? 0];
  for (let start = 0, end = 0; start < size; start = end) {
    while (end < size && at(end) === at(start)) end += 1;
    if (end === start) end += 1; // NaN equals nothing
    const bin = Math.floor(((start + end - 1) * BINS) / (2 * size));
    for (let rank = start; rank < end; rank++) bins[byScore[rank] ?? 0] = bin;
  }
  return bins;
}

/** Resampling asks thousands of times for the bins of one sample. */
const knownBins = new WeakMap<Sample, Uint8Array>();

/** Expected calibration error as it is (Naeini et al. 2015): too high by itself, the more so the smaller the sample. */
export function rawCalibrationError(sample: Sample, weights: Weights): number {
  const bins = knownBins.get(sample) ?? equalMassBins(sample);
  knownBins.set(sample, bins);
  const gaps = new Float64Array(BINS);
  let mass = 0;
  for (let i = 0; i < sample.size; i++) {
    const weight = weights[i] ?? 0;
    const bin = bins[i] ?? 0;
    gaps[bin] = (gaps[bin] ?? 0) + weight * ((sample.positive[i] ?? 0) - (sample.score[i] ?? Number.NaN));
    mass += weight;
  }
  return gaps.reduce((sum, gap) => sum + Math.abs(gap), 0) / mass;
}

interface Bin {
  readonly share: number;
  readonly score: number;
  /** Observed share of positives less mean score. */
  readonly gap: number;
  /** Variance of the gap if the scores were right. */
  readonly variance: number;
}

export function calibrationBins(sample: Sample): Bin[] {
  const bins = equalMassBins(sample);
  const sums = Array.from({ length: BINS }, () => ({ n: 0, score: 0, positive: 0, spread: 0 }));
  for (let i = 0; i < sample.size; i++) {
    const sum = sums[bins[i] ?? 0];
    const score = sample.score[i] ?? Number.NaN;
    if (!sum) continue;
    sum.n += 1;
    sum.score += score;
    sum.positive += sample.positive[i] ?? 0;
    sum.spread += score * (1 - score);
  }
  return sums
    .filter(({ n }) => n > 0)
    .map(({ n, score, positive, spread }) => ({
      share: n / sample.size,
      score: score / n,
      gap: (positive - score) / n,
      variance: spread / n ** 2,
    }));
}

/** Mean of |X| for X normal (Leone, Nelson and Nottingham 1961). */
function foldedMean(mean: number, deviation: number): number {
  if (deviation === 0) return Math.abs(mean);
  const ratio = mean / deviation;
  return deviation * Math.sqrt(2 / Math.PI) * Math.exp(-(ratio ** 2) / 2) + mean * (1 - 2 * normalCdf(-ratio));
}

/** Mean and deviation of the raw error if each bin were off by `error`; `noise` scales what chance adds. */
function expectationAt(error: number, bins: readonly Bin[], noise: number) {
  let [mean, variance] = [0, 0];
  for (const bin of bins) {
    const deviation = noise * Math.sqrt(varianceAt(bin, error));
    const folded = foldedMean(error, deviation);
    mean += bin.share * folded;
    variance += bin.share ** 2 * Math.max(0, error ** 2 + deviation ** 2 - folded ** 2);
  }
  return { mean, deviation: Math.sqrt(variance) };
}

/** The variance of a bin whose true share is `error` from its score, on the side where it was seen, or where there is room. */
function varianceAt({ score, gap, variance }: Bin, error: number): number {
  const towards = gap >= 0 ? 1 : -1;
  const fits = (share: number) => share >= 0 && share <= 1;
  const share = [score + towards * error, score - towards * error].find(fits) ?? 0.5;
  const plain = Math.max(score * (1 - score), 1e-6);
  return variance * (Math.max(share * (1 - share), 1e-6) / plain);
}

const HALVINGS = 40;

/** The error at which `reached` first exceeds the target; it grows with the error. */
function errorWhere(target: number, reached: (error: number) => number): number {
  if (reached(0) >= target) return 0;
  let [low, high] = [0, 1];
  for (let i = 0; i < HALVINGS; i++) {
    const middle = (low + high) / 2;
    if (reached(middle) < target) low = middle;
    else high = middle;
  }
  return high;
}

/**
 * Expected calibration error over 15 bins of equal mass, without what chance adds to it. Labels drawn from the scores
 * themselves, 400 times, say what a perfectly calibrated model would show on these very examples.
 * - value: the error at which the raw one has the expectation that was observed, every bin being off by the same;
 * - high: the greatest such error that is compatible with the raw one: spread evenly, an error hides best;
 * - low: the raw one less all that chance adds to a perfect model, and less z deviations: concentrated, it hides least.
 */
export function calibrationError(sample: Sample, random: RandomBelow, z = Z95): Estimate {
  const bins = calibrationBins(sample);
  const raw = bins.reduce((sum, { share, gap }) => sum + share * Math.abs(gap), 0);
  if (Number.isNaN(raw) || sample.size < 2) return { value: Number.NaN, low: 0, high: 1 };
  const bias = chanceOnly(sample, random);
  const analytic = expectationAt(0, bins, 1).mean;
  const noise = analytic > 0 ? bias / analytic : 1;
  const at = (error: number) => expectationAt(error, bins, noise);
  const value = errorWhere(raw, (error) => at(error).mean);
  const high = errorWhere(raw, (error) => at(error).mean - z * at(error).deviation);
  const low = raw - bias - z * at(value).deviation;
  return { value, low: Math.max(0, Math.min(value, low)), high: Math.max(value, high) };
}

/** Mean raw error of labels drawn from the scores. */
function chanceOnly(sample: Sample, random: RandomBelow): number {
  const bins = equalMassBins(sample);
  let sum = 0;
  for (let draw = 0; draw < LABEL_DRAWS; draw++) {
    const gaps = new Float64Array(BINS);
    for (let i = 0; i < sample.size; i++) {
      const score = sample.score[i] ?? 0;
      const bin = bins[i] ?? 0;
      gaps[bin] = (gaps[bin] ?? 0) + (random(UNIT) < score * UNIT ? 1 : 0) - score;
    }
    sum += gaps.reduce((total, gap) => total + Math.abs(gap), 0) / sample.size;
  }
  return sum / LABEL_DRAWS;
}

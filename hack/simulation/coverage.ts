import type { Prediction } from '@slipway/crds/contract';
import { difference } from '@slipway/runtime/evaluator/gates/versusGate.ts';
import { gapInterval } from '@slipway/runtime/evaluator/intervals/gap.ts';
import type { Estimate } from '@slipway/runtime/evaluator/intervals/interval.ts';
import { pairedDifference } from '@slipway/runtime/evaluator/intervals/paired.ts';
import { estimate, METRICS, type Metric } from '@slipway/runtime/evaluator/metrics.ts';
import { type RandomBelow, randomFromDigest } from '@slipway/runtime/evaluator/random.ts';
import { type Sample, sampleOf } from '@slipway/runtime/evaluator/sample.ts';
import {
  CALIBRATED,
  draw,
  drawMeasurements,
  drawPair,
  MEASUREMENT_TRUTHS,
  OVERCONFIDENT,
  RARE,
  SHARP,
  truthOf,
  uniform,
  type World,
} from '@slipway/runtime/evaluator/simulation/worlds.ts';
import { isMoreThan, percent, type Section } from './section.ts';

const SIZES = [50, 200, 1000];
/** What the intervals promise: nominal 95 %, at most this short of it. */
const MISSES = 0.06;

export interface CoverageCase {
  readonly name: string;
  readonly truth: number;
  /** One interval from a fresh sample. */
  readonly once: (size: number, random: RandomBelow) => Estimate;
  /** Resampling costs: a quarter of the runs, of the largest samples an eighth. */
  readonly isResampled: boolean;
}

const ofMetric = (name: string, metric: Metric, world: World, isResampled = false): CoverageCase => ({
  name,
  truth: truthOf(metric, world),
  once: (size, random) => estimate(metric, sampleOf(draw(world, size, random)), random),
  isResampled,
});

const ofMeasurement = (metric: keyof typeof MEASUREMENT_TRUTHS): CoverageCase => ({
  name: metric,
  truth: MEASUREMENT_TRUTHS[metric],
  once: (size, random) => estimate(metric, sampleOf(drawMeasurements(size, random)), random),
  isResampled: true,
});

/** Two models of which ours reads x a little worse; both see the same examples. */
const OURS: World = { ...CALIBRATED, noise: 0.5 };
const THEIRS: World = { ...CALIBRATED, noise: 0.3 };

const accuracyOfPair: CoverageCase = {
  name: 'difference of accuracy, paired',
  truth: truthOf('accuracy', OURS) - truthOf('accuracy', THEIRS),
  once: (size, random) => {
    const [ours, theirs] = drawPair(OURS, THEIRS, size, random).map((rows) => sampleOf(rows)) as [Sample, Sample];
    const counts = { ours: 0, theirs: 0, pairs: size };
    for (let i = 0; i < size; i++) {
      const difference = (ours.correct[i] ?? 0) - (theirs.correct[i] ?? 0);
      if (difference > 0) counts.ours += 1;
      else if (difference < 0) counts.theirs += 1;
    }
    return pairedDifference(counts);
  },
  isResampled: false,
};

const resampledPair = (name: string, metric: Metric): CoverageCase => ({
  name,
  truth: (METRICS[metric].better === 'higher' ? 1 : -1) * (truthOf(metric, OURS) - truthOf(metric, THEIRS)),
  once: (size, random) => {
    const [ours, theirs] = drawPair(OURS, THEIRS, size, random).map((rows) => sampleOf(rows)) as [Sample, Sample];
    return difference(metric, ours, theirs, random).estimate;
  },
  isResampled: true,
});

/** Groups of the same size whose accuracies are given. */
const gapOf = (name: string, accuracies: readonly number[]): CoverageCase => ({
  name,
  truth: Math.max(...accuracies) - Math.min(...accuracies),
  once: (size, random) => {
    const groups = accuracies.map((accuracy) =>
      sampleOf(
        Array.from({ length: size }, (_, id): Prediction => {
          const label = id % 2;
          return { id, label, prediction: uniform(random) < accuracy ? label : 1 - label };
        }),
      ),
    );
    return gapInterval((z) => groups.map((group) => estimate('accuracy', group, random, z)));
  },
  isResampled: false,
});

export const coverageCases = (): readonly CoverageCase[] => [
  ofMetric('accuracy', 'accuracy', CALIBRATED),
  ofMetric('accuracy, few positives', 'accuracy', RARE),
  ofMetric('balancedAccuracy', 'balancedAccuracy', CALIBRATED),
  ofMetric('f1', 'f1', CALIBRATED),
  ofMetric('f1, few positives', 'f1', RARE),
  ofMetric('rocAuc', 'rocAuc', CALIBRATED),
  ofMetric('rocAuc, well separated', 'rocAuc', SHARP),
  ofMetric('expectedCalibrationError, calibrated', 'expectedCalibrationError', CALIBRATED),
  ofMetric('expectedCalibrationError, overconfident', 'expectedCalibrationError', OVERCONFIDENT),
  ofMetric('brier', 'brier', CALIBRATED, true),
  ofMetric('logLoss', 'logLoss', CALIBRATED, true),
  ofMetric('logLoss, overconfident', 'logLoss', OVERCONFIDENT, true),
  ofMeasurement('meanAbsoluteError'),
  ofMeasurement('rootMeanSquaredError'),
  ofMeasurement('r2'),
  accuracyOfPair,
  resampledPair('difference of rocAuc, paired', 'rocAuc'),
  resampledPair('difference of brier, paired', 'brier'),
  gapOf('gap of 4 equal groups (n each)', [0.8, 0.8, 0.8, 0.8]),
  gapOf('gap of 4 groups, one apart (n each)', [0.8, 0.8, 0.8, 0.7]),
  gapOf('gap of 12 equal groups (n each)', new Array<number>(12).fill(0.8)),
];

const seeded = (seed: number): RandomBelow => randomFromDigest(seed.toString(16).padStart(8, '0').repeat(8));

interface Cell {
  readonly runs: number;
  readonly misses: number;
  readonly width: number;
}

function cellOf({ truth, once, isResampled }: CoverageCase, size: number, runs: number): Cell {
  const times = isResampled ? Math.ceil(runs / (size > 500 ? 8 : 4)) : runs;
  const random = seeded(size);
  let [misses, width] = [0, 0];
  for (let run = 0; run < times; run++) {
    const { low, high } = once(size, random);
    if (truth < low || truth > high) misses += 1;
    width += (high - low) / times;
  }
  return { runs: times, misses, width };
}

/** How often the truth lies in the interval of a fresh sample, and how wide that is. */
export function coverage(runs: number, cases = coverageCases(), sizes = SIZES): Section {
  const rows = cases.map((one) => ({ ...one, cells: sizes.map((size) => cellOf(one, size, runs)) }));
  const worst = Math.max(...rows.flatMap(({ cells }) => cells.map((cell) => cell.misses / cell.runs)));
  return {
    name: 'coverage',
    title: `Samples of ${runs} whose 95 % interval holds the truth, and its mean width in brackets; of ${Math.ceil(runs / 4)} where it is resampled (*), and ${Math.ceil(runs / 8)} of those of 1,000`,
    head: ['interval of', 'truth', ...sizes.map((size) => `n=${size}`)],
    rows: rows.map(({ name, truth, cells, isResampled }) => [
      isResampled ? `${name} (*)` : name,
      Number(truth.toFixed(4)).toString(),
      ...cells.map((cell) => `${percent(1 - cell.misses / cell.runs)} (${cell.width.toFixed(3)})`),
    ]),
    broken: rows.flatMap(({ name, cells }) =>
      cells.flatMap((cell, i) =>
        isMoreThan(MISSES, cell.misses, cell.runs)
          ? [`${name}, n=${sizes[i]}: ${cell.misses} of ${cell.runs} intervals miss the truth`]
          : [],
      ),
    ),
    measurements: [
      {
        what: 'gates, nominal 95 % intervals that hold the truth, worst of all metrics and n of 50, 200, 1000',
        value: 100 * (1 - worst),
        unit: '%',
      },
    ],
  };
}

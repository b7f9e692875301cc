import type { Gate } from '@slipway/crds';
import { bootstrap } from './intervals/bootstrap.ts';
import type { Estimate, Interval } from './intervals/interval.ts';
import { meanInterval } from './intervals/mean.ts';
import { Z95 } from './intervals/normal.ts';
import { f1Interval, meanOfShares, proportion } from './intervals/proportion.ts';
import { rocAucInterval } from './intervals/rocAuc.ts';
import { calibrationError, rawCalibrationError } from './metrics/calibration.ts';
import {
  type Count,
  countOf,
  f1OfPositive,
  inverted,
  jaccardCount,
  macroF1,
  macroPrecision,
  macroRecall,
  rightByClass,
  shareOf,
} from './metrics/classes.ts';
import { absoluteErrorOf, r2, squaredErrorOf } from './metrics/regression.ts';
import { brierOf, logLossOf, rocAuc, weightedMean } from './metrics/scores.ts';
import type { RandomBelow } from './random.ts';
import { everyOnce, type Sample, type Weights } from './sample.ts';

export type Metric = NonNullable<Gate['metric']>;

/** What the predictions must have: classes that can be told apart, a score each, or numbers. */
type Needs = 'classes' | 'scores' | 'numbers';

/** Examples whose share it is: `of` among those that `among` marks. */
interface Share {
  readonly of: Uint8Array;
  readonly among?: Uint8Array;
}

export interface MetricDefinition {
  /** It asks how well class 1 is told from the others, and is undefined where no class has that name. */
  readonly isOfClassOne?: true;
  readonly needs: Needs;
  readonly better: 'higher' | 'lower';
  /** Bounds where nothing is known. */
  readonly widest: { readonly low: number; readonly high: number };
  /** The number of a weighted sample; NaN where it is undefined (one class only). */
  readonly of: (sample: Sample, weights: Weights) => number;
  /** Where it is a share of examples: its interval needs no resampling, and two versions are compared example by example. */
  readonly share?: (sample: Sample) => Share | undefined;
  /** Its interval where that is known in closed form; otherwise it is bootstrapped. */
  readonly interval?: (sample: Sample, z: number, random: RandomBelow) => Estimate | undefined;
  /** Where it is a plain mean: the term of one example, so that two versions are compared term by term. */
  readonly term?: TermOf;
  /** Examples that the value rests on; unset: all. */
  readonly trials?: (sample: Sample) => number;
  /** How the interval comes about, for the report. */
  readonly method: string;
}

const UNIT = { low: 0, high: 1 };
const ANY_ERROR = { low: 0, high: Number.MAX_VALUE };
const BOOTSTRAP = 'bootstrap, bias-corrected and accelerated, 2,000 resamples';
const WILSON = "Wilson's score interval";

const share = (
  better: 'higher' | 'lower',
  shareOfSample: (sample: Sample) => Share | undefined,
  more: Partial<MetricDefinition> = {},
): MetricDefinition => ({
  needs: 'classes',
  better,
  widest: UNIT,
  share: shareOfSample,
  of: (sample, weights) => {
    const marked = shareOfSample(sample);
    return marked ? shareOf(marked.of, marked.among, weights) : Number.NaN;
  },
  trials: (sample) => {
    const marked = shareOfSample(sample);
    return marked ? countOf(marked.of, marked.among).trials : sample.size;
  },
  method: WILSON,
  ...more,
});

const trialsOf = (counts: readonly Count[]): number => counts.reduce((sum, { trials }) => sum + trials, 0);

type TermOf = (sample: Sample, example: number) => number;

const plain = (mean: number): number => mean;

/** A mean over the examples, or a rising function of one. */
const meanOf = (needs: Needs, widest: Interval, termOf: TermOf, root?: (mean: number) => number): MetricDefinition => ({
  ...(root ? {} : { term: termOf }),
  needs,
  better: 'lower',
  widest,
  of: (sample, weights) => (root ?? plain)(weightedMean(sample.size, weights, (i) => termOf(sample, i))),
  interval: (sample, z, random) => {
    const terms = Float64Array.from({ length: sample.size }, (_, i) => termOf(sample, i));
    const { value, low, high } = meanInterval(terms, random, widest, z);
    return root ? { value: root(value), low: root(low), high: root(high) } : { value, low, high };
  },
  method: 'studentised bootstrap of the mean, 2,000 resamples',
});

const recall = share('higher', (s) => (s.isBinary ? { of: s.flagged, among: s.positive } : undefined), {
  of: (s, weights) => (s.isBinary ? shareOf(s.flagged, s.positive, weights) : macroRecall(s, weights)),
  interval: (s, z) => (s.isBinary ? undefined : meanOfShares(rightByClass(s, 'label'), z)),
});

const OF_CLASS_ONE = { isOfClassOne: true } as const;

/**
 * Every metric a gate can name, as scikit-learn's metrics guide defines them. With more than two classes precision,
 * recall, F1 and truePositiveRate are means over the classes (macro averages).
 */
export const METRICS: Readonly<Record<Metric, MetricDefinition>> = {
  accuracy: share('higher', (s) => ({ of: s.correct })),
  balancedAccuracy: {
    needs: 'classes',
    better: 'higher',
    widest: UNIT,
    of: macroRecall,
    interval: (s, z) => meanOfShares(rightByClass(s, 'label'), z),
    method: `${WILSON}s of the classes, combined (MOVER)`,
  },
  precision: share('higher', (s) => (s.isBinary ? { of: s.positive, among: s.flagged } : undefined), {
    of: (s, weights) => (s.isBinary ? shareOf(s.positive, s.flagged, weights) : macroPrecision(s, weights)),
    interval: (s, z) => (s.isBinary ? undefined : meanOfShares(rightByClass(s, 'predicted'), z)),
  }),
  recall,
  truePositiveRate: recall,
  f1: {
    needs: 'classes',
    better: 'higher',
    widest: UNIT,
    of: (s, weights) => (s.isBinary ? f1OfPositive(s, weights) : macroF1(s, weights)),
    interval: (s, z) => (s.isBinary ? f1Interval(jaccardCount(s), z) : undefined),
    trials: (s) => (s.isBinary ? jaccardCount(s).trials : s.size),
    method: `${WILSON} of the examples that are positive or flagged; bootstrap with more than two classes`,
  },
  falsePositiveRate: share('lower', (s) => ({ of: s.flagged, among: inverted(s.positive) }), OF_CLASS_ONE),
  positiveRate: share('higher', (s) => ({ of: s.flagged }), OF_CLASS_ONE),
  rocAuc: {
    ...OF_CLASS_ONE,
    needs: 'scores',
    better: 'higher',
    widest: UNIT,
    of: rocAuc,
    interval: (s, z) => {
      const positives = trialsOf([countOf(s.positive, s.positive)]);
      return rocAucInterval(rocAuc(s, everyOnce(s)), positives, s.size - positives, z);
    },
    method: "Newcombe's score interval",
  },
  logLoss: { ...OF_CLASS_ONE, ...meanOf('scores', { low: 0, high: -Math.log(Number.EPSILON) }, logLossOf) },
  brier: { ...OF_CLASS_ONE, ...meanOf('scores', UNIT, brierOf) },
  expectedCalibrationError: {
    ...OF_CLASS_ONE,
    needs: 'scores',
    better: 'lower',
    widest: UNIT,
    of: (sample, weights) => rawCalibrationError(sample, weights),
    interval: (sample, z, random) => calibrationError(sample, random, z),
    method: 'errors that the binned one is compatible with, chance taken off',
  },
  meanAbsoluteError: meanOf('numbers', ANY_ERROR, absoluteErrorOf),
  rootMeanSquaredError: meanOf('numbers', ANY_ERROR, squaredErrorOf, Math.sqrt),
  r2: { needs: 'numbers', better: 'higher', widest: { low: -Number.MAX_VALUE, high: 1 }, of: r2, method: BOOTSTRAP },
};

/** The metric of the sample as it is; NaN where it is undefined. */
export const measure = (metric: Metric, sample: Sample): number => METRICS[metric].of(sample, everyOnce(sample));

/** A metric of a sample with its two-sided interval (95 % unless z says otherwise) and the examples it rests on. */
export interface Measured extends Estimate {
  readonly n: number;
}

export function estimate(metric: Metric, sample: Sample, random: RandomBelow, z = Z95): Measured {
  const definition = METRICS[metric];
  const n = definition.trials?.(sample) ?? sample.size;
  return { ...intervalOf(definition, sample, random, z), n };
}

function intervalOf(definition: MetricDefinition, sample: Sample, random: RandomBelow, z: number): Estimate {
  const closed = definition.interval?.(sample, z, random);
  if (closed) return closed;
  const marked = definition.share?.(sample);
  if (marked) return proportion(countOf(marked.of, marked.among), z);
  return bootstrap((weights) => definition.of(sample, weights), sample.size, random, definition.widest, z);
}

/** Whether a metric of class 1 meets one. Where no class has that name it would be 0, mostly the best there is, whatever the model does. */
export const isDefinedFor = (metric: Metric, { classes }: Sample): boolean =>
  METRICS[metric].isOfClassOne !== true || classes.includes('1') || classes.every((one) => one === '0');

/** Metrics that these predictions can be measured by: numbers with many values have no classes, classes without scores no ranking. */
export function metricsFor(sample: Sample): readonly Metric[] {
  const hasScores = sample.score.every((score) => !Number.isNaN(score));
  const isNumeric = [sample.labelValue, sample.predictedValue].every((all) => all.every(Number.isFinite));
  const isMeasurement = isNumeric && !sample.isBinary && !hasWholeNumbers(sample);
  const defined = (Object.keys(METRICS) as Metric[]).filter((metric) => isDefinedFor(metric, sample));
  return defined.filter((metric) => {
    const { needs } = METRICS[metric];
    if (needs === 'scores') return hasScores;
    return needs === 'numbers' ? isMeasurement : !isMeasurement && sample.classes.length > 0;
  });
}

const hasWholeNumbers = ({ labelValue, predictedValue }: Sample): boolean =>
  [labelValue, predictedValue].every((all) => all.every(Number.isInteger));

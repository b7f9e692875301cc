import { CALIBRATION_BINS, type Evidence } from '@slipway/crds/contract';

/** Values of one feature or prediction in the bins of the baseline; fractions where they were spread over time. */
export interface BinnedCounts {
  readonly name: string;
  readonly counts: readonly number[];
  readonly missing: number;
  readonly nonFinite: number;
  readonly outOfRange: number;
  readonly unseen: number;
}

/** Labelled answers whose greatest probability lies in one of the ten bins, those that were right, and the sum of the probabilities. */
export interface CalibrationBin {
  readonly n: number;
  readonly right: number;
  readonly confidence: number;
}

/** Where no answer told how sure the model was. */
export const NO_BINS: readonly CalibrationBin[] = Array.from({ length: CALIBRATION_BINS }, () => ({
  n: 0,
  right: 0,
  confidence: 0,
}));

/** A process that does not tell its bins now, and may have told some before: what was told stays (see SlidingWindow). */
const UNTOLD: readonly CalibrationBin[] = NO_BINS.map(() => ({
  n: Number.NaN,
  right: Number.NaN,
  confidence: Number.NaN,
}));

/** What drift is judged by, of one process or of many over a window. */
export interface Counts {
  /** Rows whose values were counted. */
  readonly rows: number;
  readonly outliers: { readonly judged: number; readonly beyond: number };
  readonly labels: { readonly right: number; readonly wrong: number };
  /** Of the labels whose answers told probabilities: ten bins, always. */
  readonly calibration: readonly CalibrationBin[];
  readonly features: readonly BinnedCounts[];
  readonly predictions: readonly BinnedCounts[];
}

const totalOf = ({ counts, missing, nonFinite }: BinnedCounts): number =>
  counts.reduce((sum, count) => sum + count, missing + nonFinite);

/** Rows of a document that does not count them: those of the feature with the most values. */
const mostValues = (binned: readonly BinnedCounts[]): number =>
  binned.reduce((most, one) => Math.max(most, totalOf(one)), 0);

export function countsOf({ rows, outliers, labels, features = [], predictions = [] }: Evidence): Counts {
  return {
    rows: rows?.judged ?? mostValues([...features, ...predictions]),
    outliers: outliers ?? { judged: 0, beyond: 0 },
    labels: { right: labels?.right ?? 0, wrong: labels?.wrong ?? 0 },
    calibration: labels?.calibration?.bins ?? UNTOLD,
    features,
    predictions,
  };
}

/** Names and bins of counts as a text: only vectors of one shape may be added up. */
export const shapeOf = ({ features, predictions }: Counts): string =>
  JSON.stringify([features, predictions].map((binned) => binned.map(({ name, counts }) => [name, counts.length])));

const flat = ({ counts, missing, nonFinite, outOfRange, unseen }: BinnedCounts): number[] => [
  ...counts,
  missing,
  nonFinite,
  outOfRange,
  unseen,
];

/** Counts as one vector, so that a window adds and subtracts without knowing what they mean. */
export const vectorOf = ({ rows, outliers, labels, calibration, features, predictions }: Counts): readonly number[] => [
  rows,
  outliers.judged,
  outliers.beyond,
  labels.right,
  labels.wrong,
  ...calibration.flatMap(({ n, right, confidence }) => [n, right, confidence]),
  ...[...features, ...predictions].flatMap(flat),
];

/** The counts that a vector of the shape of `like` holds. */
export function countsFrom(vector: readonly number[], like: Counts): Counts {
  let at = 0;
  const take = (): number => vector[at++] ?? 0;
  const binned = ({ name, counts }: BinnedCounts): BinnedCounts => ({
    name,
    counts: counts.map(take),
    missing: take(),
    nonFinite: take(),
    outOfRange: take(),
    unseen: take(),
  });
  return {
    rows: take(),
    outliers: { judged: take(), beyond: take() },
    labels: { right: take(), wrong: take() },
    calibration: NO_BINS.map(() => ({ n: take(), right: take(), confidence: take() })),
    features: like.features.map(binned),
    predictions: like.predictions.map(binned),
  };
}

import { wilsonInterval } from '../intervals/proportion.ts';
import { equalMassBins } from '../metrics/calibration.ts';
import type { Sample } from '../sample.ts';

/** What the plots of the card show, as numbers. */
export interface Picture {
  /** Mean score and observed share of positives of each bin of equal mass, with Wilson's interval. */
  readonly calibration?: readonly {
    readonly score: number;
    readonly share: number;
    readonly low: number;
    readonly high: number;
    readonly n: number;
  }[];
  /** False and true positive rates over the thresholds, thinned. */
  readonly roc?: readonly (readonly [number, number])[];
  /** Counts of scores in twentieths, of positives and of the others. */
  readonly scores?: { readonly positives: readonly number[]; readonly others: readonly number[] };
  /** Prediction and error of some examples, evenly taken. */
  readonly residuals?: readonly (readonly [number, number])[];
}

const POINTS = 200;
const SCORE_BINS = 20;

export function pictureOf(sample: Sample, hasScores: boolean, isMeasurement: boolean): Picture {
  return {
    ...(hasScores ? { calibration: calibrationOf(sample), roc: rocOf(sample), scores: scoresOf(sample) } : {}),
    ...(isMeasurement ? { residuals: residualsOf(sample) } : {}),
  };
}

function calibrationOf(sample: Sample): NonNullable<Picture['calibration']> {
  const bins = new Map<number, { n: number; score: number; positives: number }>();
  for (const [i, bin] of equalMassBins(sample).entries()) {
    const sum = bins.get(bin) ?? { n: 0, score: 0, positives: 0 };
    sum.n += 1;
    sum.score += sample.score[i] ?? 0;
    sum.positives += sample.positive[i] ?? 0;
    bins.set(bin, sum);
  }
  return [...bins]
    .sort(([a], [b]) => a - b)
    .map(([, { n, score, positives }]) => ({
      score: score / n,
      share: positives / n,
      n,
      ...wilsonInterval(positives, n),
    }));
}

function rocOf({ size, positive, score, byScore }: Sample): NonNullable<Picture['roc']> {
  const positives = positive.reduce((sum, flag) => sum + flag, 0);
  const points: [number, number][] = [[0, 0]];
  let [hits, alarms] = [0, 0];
  for (let rank = size - 1; rank >= 0; rank--) {
    const i = byScore[rank] ?? 0;
    if (positive[i] === 1) hits += 1;
    else alarms += 1;
    if (score[i] !== score[byScore[rank - 1] ?? -1]) points.push([alarms / (size - positives), hits / positives]);
  }
  return thinned(points.filter(([x, y]) => Number.isFinite(x) && Number.isFinite(y)));
}

function scoresOf({ score, positive }: Sample): NonNullable<Picture['scores']> {
  const count = () => new Array<number>(SCORE_BINS).fill(0);
  const bins = { positives: count(), others: count() };
  for (const [i, one] of score.entries()) {
    const bin = Math.min(SCORE_BINS - 1, Math.floor(one * SCORE_BINS));
    const own = positive[i] === 1 ? bins.positives : bins.others;
    own[bin] = (own[bin] ?? 0) + 1;
  }
  return bins;
}

const residualsOf = ({ size, predictedValue, labelValue }: Sample): NonNullable<Picture['residuals']> =>
  thinned(
    Array.from(
      { length: size },
      (_, i) => [predictedValue[i] ?? 0, (predictedValue[i] ?? 0) - (labelValue[i] ?? 0)] as const,
    ),
  );

/** At most 200 of them, evenly taken, the last among them. */
function thinned<T>(all: readonly T[]): readonly T[] {
  if (all.length <= POINTS) return all;
  return Array.from({ length: POINTS }, (_, i) => all[Math.round((i * (all.length - 1)) / (POINTS - 1))] as T);
}

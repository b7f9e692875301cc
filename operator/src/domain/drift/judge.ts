import type { Baseline, DriftSpec } from '@slipway/crds';
import { alphaPerTest } from '../analysis/alarmBudget.ts';
import { confidenceSequence, type Interval } from '../analysis/confidenceSequence.ts';
import { jsOf, ksOf, psiOf } from '../analysis/distances.ts';
import { parseDuration } from '../duration.ts';
import { judgeCalibration } from './calibration/judgeCalibration.ts';
import type { Counts } from './counts.ts';
import { DISTANCES, type DistanceQuestion, type FaultQuestion, type Measure, questions } from './questions.ts';
import { type Dispersions, isSeries, type SeriesQuestion, seriesOf } from './series.ts';

/** An alarm ends only below this share of its limit: one that sits on the limit would come and go. */
const ENDS_AT = 0.8;

/** What one question of one look came to. Shares and distances are numbers; n counts rows, not effective ones. */
export interface Finding extends Interval {
  readonly name: string;
  readonly measure: Measure;
  readonly value: number;
  /** As the spec has it, and as a number. */
  readonly limit: string;
  readonly bound: number;
  readonly n: number;
  readonly drifted: boolean;
  /** How far it is on its way to the limit: 1 is at it. */
  readonly reach: number;
  /** What the number is made of, where there is more to say. */
  readonly detail?: string;
}

export const alarmKey = ({ name, measure }: { readonly name: string; readonly measure: string }): string =>
  `${measure}/${name}`;

export interface Look {
  readonly spec: DriftSpec;
  readonly baseline: Baseline;
  /** The complete slots of the window, oldest first. */
  readonly slots: readonly Counts[];
  /** Has seen the slots. */
  readonly dispersions: Dispersions;
  /** Milliseconds from one look to the next. */
  readonly everyMs: number;
  /** alarmKey of what counted as drifted at the look before. */
  readonly before: ReadonlySet<string>;
}

const sum = (counts: readonly number[]): number => counts.reduce((a, b) => a + b, 0);
const addUp = (all: readonly (readonly number[])[]): readonly number[] =>
  all.reduce((total, one) => one.map((value, i) => value + (total[i] ?? 0)), [] as readonly number[]);

const DISTANCE = { psi: psiOf, js: jsOf, ks: ksOf } as const;

/** What was counted, the design effect of it at level `alpha`, and whether it counted as drifted. */
interface Evidence {
  readonly observed: readonly number[];
  readonly phi: number;
  readonly alpha: number;
  readonly wasDrifted: boolean;
}
type Judged = Omit<Finding, 'name' | 'measure' | 'limit' | 'bound'>;

const referenceOf = ({ of }: DistanceQuestion): readonly number[] =>
  of.kind === 'numeric' ? of.bins.counts : [...of.categories.map(({ count }) => count), of.other];

/** Effect at the limit or beyond, and χ² (for ks, Smirnov) says that it is none of chance. */
function judgeDistance(question: DistanceQuestion, { observed, phi, alpha, wasDrifted }: Evidence): Judged {
  const { measure, bound } = question;
  const effective = observed.map((count) => count / phi);
  const { value, low, high, pValue } = DISTANCE[measure](effective, referenceOf(question), alpha);
  const drifted = pValue <= alpha && value >= bound * (wasDrifted ? ENDS_AT : 1);
  return { value, low, high: Math.min(high, Number.MAX_SAFE_INTEGER), n: sum(observed), drifted, reach: value / bound };
}

interface Occurrences {
  readonly hits: number;
  readonly total: number;
}
const NEVER: Occurrences = { hits: 0, total: 0 };

/** A rate beyond what training had, by more than the limit: the lower bound of the difference says so. */
function judgeShare(bound: number, training: Occurrences, { observed, phi, alpha, wasDrifted }: Evidence): Judged {
  const [hits = 0, misses = 0] = observed;
  const total = hits + misses;
  const now = confidenceSequence({ hits: hits / phi, total: total / phi }, alpha / 2);
  const then = training.total === 0 ? { low: 0, high: 0 } : confidenceSequence(training, alpha / 2);
  const usual = training.total === 0 ? 0 : training.hits / training.total;
  const value = (total === 0 ? 0 : hits / total) - usual;
  const low = now.low - then.high;
  const drifted = low > bound * (wasDrifted ? ENDS_AT : 1);
  return { value, low, high: now.high - then.low, n: total, drifted, reach: bound === 0 ? hits : value / bound };
}

/** Rows of training in which a feature had no value: known where the baseline says how many rows there were. */
function missingInTraining({ dataset }: Baseline, present: number): Occurrences {
  const rows = dataset?.rows ?? 0;
  return rows <= present ? NEVER : { hits: rows - present, total: rows };
}

/** An accuracy is told as a share of right answers, and judged as one of wrong ones. */
function judgeAccuracy(bound: number, evidence: Evidence): Judged {
  const { value, low, high, ...rest } = judgeShare(1 - bound, NEVER, evidence);
  return { ...rest, value: 1 - value, low: 1 - high, high: 1 - low };
}

const isDistance = (question: DistanceQuestion | FaultQuestion): question is DistanceQuestion =>
  DISTANCES.some((distance) => distance === question.measure);

function judgedOf(question: SeriesQuestion, baseline: Baseline, evidence: Evidence): Judged {
  if (question.measure === 'accuracy') return judgeAccuracy(question.bound, evidence);
  if (question.measure === 'outliers') return judgeShare(question.bound, NEVER, evidence);
  if (isDistance(question)) return judgeDistance(question, evidence);
  return judgeShare(question.bound, trainingOf(question, baseline), evidence);
}

/** What training had of a fault: of values beyond all of its own, or in categories that it had not, nothing. */
const trainingOf = (question: SeriesQuestion, baseline: Baseline): Occurrences =>
  question.measure === 'missing' ? missingInTraining(baseline, question.of.count) : NEVER;

/** Outliers are by definition what a thousandth of training was. */
const isUsual = (question: SeriesQuestion, baseline: Baseline): boolean =>
  question.measure === 'outliers' || trainingOf(question, baseline).hits > 0;

/** The lower bound above the limit is a drift: chance alone gives every model some error. */
function judgeCalibrated(
  bound: number,
  { spec: { minSamples }, slots, dispersions: { calibration } }: Look,
  alpha: number,
  wasDrifted: boolean,
): Judged | undefined {
  const judged = judgeCalibration({ slots, dispersion: calibration, minSamples, alpha });
  if (judged === undefined) return undefined;
  const { value, low, n } = judged;
  const drifted = low > bound * (wasDrifted ? ENDS_AT : 1);
  return { ...judged, drifted, reach: bound === 0 ? value * n : value / bound };
}

function judgeSeries(
  question: SeriesQuestion,
  { spec, baseline, slots, dispersions }: Look,
  alpha: number,
  wasDrifted: boolean,
): Judged | undefined {
  const observed = addUp(slots.map((slot) => seriesOf(question, slot)));
  const phi = dispersions.at(question, alpha, isUsual(question, baseline));
  if (phi === undefined || sum(observed) < spec.minSamples) return undefined;
  return judgedOf(question, baseline, { observed, phi, alpha, wasDrifted });
}

const byReach = (a: Finding, b: Finding): number => Number(b.drifted) - Number(a.drifted) || b.reach - a.reach;

/**
 * Judges everything that the spec asks about a window, worst first. The budget of false alarms is divided by all looks
 * and questions, those of too few rows too, so it holds whatever the traffic. What rests on fewer rows than
 * `minSamples`, or on one slot only, is left out.
 */
export function judge(look: Look): readonly Finding[] {
  const { spec, baseline, everyMs, before } = look;
  const all = questions(spec, baseline);
  const { max, per } = spec.falseAlarms;
  const alpha = alphaPerTest({ max, perMs: parseDuration(per) }, { everyMs, tests: all.length });
  return all
    .flatMap((question): Finding[] => {
      const wasDrifted = before.has(alarmKey(question));
      const judged = isSeries(question)
        ? judgeSeries(question, look, alpha, wasDrifted)
        : judgeCalibrated(question.bound, look, alpha, wasDrifted);
      if (judged === undefined) return [];
      const { name, measure, limit, bound } = question;
      return [{ name, measure, limit, bound, ...judged, n: Math.round(judged.n) }];
    })
    .sort(byReach);
}

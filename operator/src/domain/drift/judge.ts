import type { Baseline, DriftSpec } from '@slipway/crds';
import { alphaPerTest } from '../analysis/alarmBudget.ts';
import { confidenceSequence, type Interval } from '../analysis/confidenceSequence.ts';
import { jsOf, ksOf, psiOf } from '../analysis/distances.ts';
import { parseDuration } from '../duration.ts';
import type { BinnedCounts, Counts } from './counts.ts';
import { dispersionOf } from './dispersion.ts';
import {
  DISTANCES,
  type Distance,
  type DistanceQuestion,
  type Fault,
  type FaultQuestion,
  type Measure,
  type Question,
  questions,
} from './questions.ts';

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
}

export const alarmKey = ({ name, measure }: { readonly name: string; readonly measure: string }): string =>
  `${measure}/${name}`;

export interface Look {
  readonly spec: DriftSpec;
  readonly baseline: Baseline;
  /** The complete slots of the window, oldest first. */
  readonly slots: readonly Counts[];
  /** Milliseconds from one look to the next. */
  readonly everyMs: number;
  /** alarmKey of what counted as drifted at the look before. */
  readonly before: ReadonlySet<string>;
}

const sum = (counts: readonly number[]): number => counts.reduce((a, b) => a + b, 0);
const addUp = (all: readonly (readonly number[])[]): readonly number[] =>
  all.reduce((total, one) => one.map((value, i) => value + (total[i] ?? 0)), [] as readonly number[]);

const DISTANCE = { psi: psiOf, js: jsOf, ks: ksOf } as const;

type Judge = (alpha: number, wasDrifted: boolean) => Omit<Finding, 'name' | 'measure' | 'limit' | 'bound'>;

/** Effect at the limit or beyond, and χ² (for ks, Smirnov) says that it is none of chance. */
function judgeDistance(
  measure: Distance,
  bound: number,
  reference: readonly number[],
  slots: readonly (readonly number[])[],
): Judge {
  const observed = addUp(slots);
  const phi = dispersionOf(slots);
  const effective = observed.map((count) => count / phi);
  return (alpha, wasDrifted) => {
    const { value, low, high, pValue } = DISTANCE[measure](effective, reference, alpha);
    const drifted = pValue <= alpha && value >= bound * (wasDrifted ? ENDS_AT : 1);
    return {
      value,
      low,
      high: Math.min(high, Number.MAX_SAFE_INTEGER),
      n: sum(observed),
      drifted,
      reach: value / bound,
    };
  };
}

interface Occurrences {
  readonly hits: number;
  readonly total: number;
}

/** A rate beyond what training had, by more than the limit: the lower bound of the difference says so. */
function judgeShare(bound: number, training: Occurrences, slots: readonly Occurrences[]): Judge {
  const phi = dispersionOf(slots.map(({ hits, total }) => [hits, total - hits]));
  const hits = sum(slots.map((slot) => slot.hits));
  const total = sum(slots.map((slot) => slot.total));
  const usual = training.total === 0 ? 0 : training.hits / training.total;
  return (alpha, wasDrifted) => {
    const now = confidenceSequence({ hits: hits / phi, total: total / phi }, alpha / 2);
    const then = training.total === 0 ? { low: 0, high: 0 } : confidenceSequence(training, alpha / 2);
    const value = hits / total - usual;
    const low = now.low - then.high;
    const drifted = low > bound * (wasDrifted ? ENDS_AT : 1);
    return {
      value,
      low,
      high: now.high - then.low,
      n: Math.round(total),
      drifted,
      reach: bound === 0 ? hits : value / bound,
    };
  };
}

const NEVER: Occurrences = { hits: 0, total: 0 };
const hadValue = ({ missing, nonFinite, counts }: BinnedCounts): number => sum(counts) + missing + nonFinite;

/** What each fault counts, of all values (missing) or of those that are there. An infinity is a value nobody can use. */
const FAULT: Readonly<Record<Fault, (of: BinnedCounts) => Occurrences>> = {
  missing: (of) => ({ hits: of.missing + of.nonFinite, total: hadValue(of) }),
  outOfRange: (of) => ({ hits: of.outOfRange, total: sum(of.counts) }),
  unseen: (of) => ({ hits: of.unseen, total: sum(of.counts) }),
};

/** Rows of training in which a feature had no value: known where the baseline says how many rows there were. */
function missingInTraining({ dataset }: Baseline, present: number): Occurrences {
  const rows = dataset?.rows ?? 0;
  return rows <= present ? NEVER : { hits: rows - present, total: rows };
}

/** An accuracy is told as a share of right answers, and judged as one of wrong ones. */
function judgeAccuracy(bound: number, slots: readonly Counts[]): Judge {
  const wrong = slots.map(({ labels }) => ({ hits: labels.wrong, total: labels.right + labels.wrong }));
  const judge = judgeShare(1 - bound, NEVER, wrong);
  return (alpha, wasDrifted) => {
    const { value, low, high, ...rest } = judge(alpha, wasDrifted);
    return { ...rest, value: 1 - value, low: 1 - high, high: 1 - low };
  };
}

const referenceOf = ({ of }: DistanceQuestion): readonly number[] =>
  of.kind === 'numeric' ? of.bins.counts : [...of.categories.map(({ count }) => count), of.other];

const isDistance = (question: DistanceQuestion | FaultQuestion): question is DistanceQuestion =>
  DISTANCES.some((distance) => distance === question.measure);

function judgeOf(question: Question, { baseline, slots }: Look): Judge {
  const { bound } = question;
  if (question.measure === 'accuracy') return judgeAccuracy(bound, slots);
  if (question.measure === 'outliers') {
    const beyond = slots.map(({ outliers }) => ({ hits: outliers.beyond, total: outliers.judged }));
    return judgeShare(bound, NEVER, beyond);
  }
  const { side, name } = question;
  const own = slots.flatMap((slot) => slot[side].filter((binned) => binned.name === name));
  if (isDistance(question)) {
    return judgeDistance(
      question.measure,
      bound,
      referenceOf(question),
      own.map(({ counts }) => counts),
    );
  }
  const training = question.measure === 'missing' ? missingInTraining(baseline, question.of.count) : NEVER;
  return judgeShare(bound, training, own.map(FAULT[question.measure]));
}

const byReach = (a: Finding, b: Finding): number => Number(b.drifted) - Number(a.drifted) || b.reach - a.reach;

/**
 * Judges everything that the spec asks about a window, worst first. The budget of false alarms is divided by all looks
 * and questions, those of too few rows too, so it holds whatever the traffic. What rests on fewer rows than
 * `minSamples` is left out.
 */
export function judge(look: Look): readonly Finding[] {
  const { spec, baseline, everyMs, before } = look;
  const all = questions(spec, baseline);
  const { max, per } = spec.falseAlarms;
  const alpha = alphaPerTest({ max, perMs: parseDuration(per) }, { everyMs, tests: all.length });
  return all
    .map((question): Finding => {
      const { name, measure, limit, bound } = question;
      return { name, measure, limit, bound, ...judgeOf(question, look)(alpha, before.has(alarmKey(question))) };
    })
    .filter(({ n }) => n >= spec.minSamples)
    .sort(byReach);
}

import { CalibrationDispersion } from './calibration/dispersion.ts';
import type { BinnedCounts, Counts } from './counts.ts';
import { Dispersion } from './dispersion.ts';
import { FaultDispersion } from './faultDispersion.ts';
import type { DistanceQuestion, Fault, FaultQuestion, Question } from './questions.ts';
import { RateDispersion } from './rateDispersion.ts';

const sum = (counts: readonly number[]): number => counts.reduce((a, b) => a + b, 0);

/** What each fault counts, of all values (missing) or of those that are there. An infinity is a value nobody can use. */
const FAULT: Readonly<Record<Fault, (of: BinnedCounts) => readonly [hits: number, misses: number]>> = {
  missing: ({ missing, nonFinite, counts }) => [missing + nonFinite, sum(counts)],
  outOfRange: ({ outOfRange, counts }) => [outOfRange, sum(counts) - outOfRange],
  unseen: ({ unseen, counts }) => [unseen, sum(counts) - unseen],
};

const isFault = (question: DistanceQuestion | FaultQuestion): question is FaultQuestion =>
  Object.hasOwn(FAULT, question.measure);

/** All but calibration, whose labels count by bins and are held against what the model said of itself. */
export type SeriesQuestion = Exclude<Question, { readonly measure: 'calibration' }>;
export const isSeries = (question: Question): question is SeriesQuestion => question.measure !== 'calibration';

/** What a question counts in a slot: the bins of a distance, hits and misses of a rate. Empty: the slot has none of it. */
export function seriesOf(question: SeriesQuestion, slot: Counts): readonly number[] {
  if (question.measure === 'accuracy') return [slot.labels.wrong, slot.labels.right];
  if (question.measure === 'outliers') return [slot.outliers.beyond, slot.outliers.judged - slot.outliers.beyond];
  const usual = slot[question.side][question.at];
  const own = usual?.name === question.name ? usual : slot[question.side].find(({ name }) => name === question.name);
  if (own === undefined) return [];
  return isFault(question) ? FAULT[question.measure](own) : own.counts;
}

type FaultSeries = FaultQuestion | Extract<Question, { readonly measure: 'outliers' }>;
const isFaultSeries = (question: SeriesQuestion): question is FaultSeries =>
  question.measure === 'outliers' || Object.hasOwn(FAULT, question.measure);
const isDistanceSeries = (question: SeriesQuestion): question is DistanceQuestion =>
  question.measure !== 'accuracy' && !isFaultSeries(question);

/** Distances of one feature are of the same bins. */
const binsOf = ({ side, name }: DistanceQuestion): string => `${side}/${name}`;
const faultOf = (fault: FaultSeries): string =>
  fault.measure === 'outliers' ? fault.measure : `${fault.measure}/${fault.side}/${fault.name}`;

function kept<T>(known: Map<string, T>, key: string, fresh: () => T): T {
  const one = known.get(key) ?? fresh();
  known.set(key, one);
  return one;
}

/** The dispersion of each series that questions are about. */
export class Dispersions {
  readonly #bins = new Map<string, Dispersion>();
  readonly #faults = new Map<string, FaultDispersion>();
  /** Labels come in clumps, and few are wrong: see RateDispersion. */
  readonly #accuracy = new RateDispersion();
  readonly calibration = new CalibrationDispersion();

  /** Takes down the next complete slot. */
  add(all: readonly Question[], slot: Counts): void {
    if (!all.every(isSeries)) this.calibration.add(slot.calibration);
    const { right, wrong } = slot.labels;
    if (all.some(({ measure }) => measure === 'accuracy')) this.#accuracy.add({ hits: wrong, total: right + wrong });
    const series = all.filter(isSeries);
    const distances = series.filter(isDistanceSeries).map((question) => [binsOf(question), question] as const);
    for (const [key, question] of new Map(distances)) {
      kept(this.#bins, key, () => new Dispersion()).add(seriesOf(question, slot));
    }
    for (const fault of series.filter(isFaultSeries)) {
      const [hits = 0, misses = 0] = seriesOf(fault, slot);
      kept(this.#faults, faultOf(fault), () => new FaultDispersion()).add({ hits, total: hits + misses });
    }
  }

  /**
   * Design effect for a test at level `alpha`; undefined: nothing is known of it yet. `usual`: training had what the
   * question asks for, so that traffic which does not change may have it too.
   */
  at(question: SeriesQuestion, alpha: number, usual: boolean): number | undefined {
    if (question.measure === 'accuracy') return this.#accuracy.at(alpha);
    if (isFaultSeries(question)) return this.#faults.get(faultOf(question))?.at(alpha, usual);
    return this.#bins.get(binsOf(question))?.at(alpha);
  }
}

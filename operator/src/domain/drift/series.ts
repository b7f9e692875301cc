import { CalibrationDispersion } from './calibration/dispersion.ts';
import type { BinnedCounts, Counts } from './counts.ts';
import { Dispersion } from './dispersion.ts';
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

type BinsQuestion = Exclude<SeriesQuestion, { readonly measure: 'accuracy' }>;
const isBins = (question: Question): question is BinsQuestion => isSeries(question) && question.measure !== 'accuracy';

/** Distances of one feature are of the same bins. */
const keyOf = (question: BinsQuestion): string => {
  if (question.measure === 'outliers') return question.measure;
  return `${isFault(question) ? question.measure : 'bins'}/${question.side}/${question.name}`;
};

/** The dispersion of each series that questions are about. */
export class Dispersions {
  readonly #of = new Map<string, Dispersion>();
  /** Labels come in clumps, and few are wrong: see RateDispersion. */
  readonly #accuracy = new RateDispersion();
  readonly calibration = new CalibrationDispersion();

  /** Takes down the next complete slot. */
  add(all: readonly Question[], slot: Counts): void {
    if (!all.every(isSeries)) this.calibration.add(slot.calibration);
    const { right, wrong } = slot.labels;
    if (all.some(({ measure }) => measure === 'accuracy')) this.#accuracy.add({ hits: wrong, total: right + wrong });
    for (const [key, question] of new Map(all.filter(isBins).map((question) => [keyOf(question), question]))) {
      const known = this.#of.get(key) ?? new Dispersion();
      this.#of.set(key, known);
      known.add(seriesOf(question, slot));
    }
  }

  /** Design effect for a test at level `alpha`; undefined: nothing is known of it yet. */
  at(question: SeriesQuestion, alpha: number): number | undefined {
    if (question.measure === 'accuracy') return this.#accuracy.at(alpha);
    return this.#of.get(keyOf(question))?.at(alpha);
  }
}

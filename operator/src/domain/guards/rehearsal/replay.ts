import type { Guard, InferenceServiceSpec } from '@slipway/crds';
import { mulberry32 } from '../../analysis/simulation.ts';
import type { Tally } from '../../analysis/tally.ts';
import type { GuardStatus } from '../../rollout/world.ts';
import { thresholdsOf } from './model.ts';
import { beginningOf, type Counted, NOTHING, parted, type Recording, thresholdsIn, timeline } from './record.ts';
import { tallyOf } from './recordedTally.ts';
import { isOutside, looksAt, play, type Rehearsal } from './rehearse.ts';
import { Counters } from './side.ts';
import { type Course, lookAt } from './view.ts';

type Rollout = InferenceServiceSpec['rollout'];

/** A guard that a record can't answer, and why. */
export interface Unanswered {
  readonly name: string;
  readonly why: string;
}

/** A record without its histograms, copies and bins answers no question about those. */
function whyNot(guard: Guard, recording: Recording): string | undefined {
  if (isOutside(guard)) return 'it asks something outside of the traffic';
  if (guard.disagreement !== undefined) return 'a record has no copies to compare';
  if (guard.predictionShift !== undefined) return 'a record has no predictions';
  const [threshold] = thresholdsOf([guard]);
  if (threshold !== undefined && !thresholdsIn(recording).includes(threshold))
    return `the record does not tell how many were slower than ${threshold} ms`;
  const isLabelled = [...recording.stable, ...recording.candidate].some(({ right, wrong }) => right + wrong > 0);
  return guard.accuracy !== undefined && !isLabelled ? 'the record has no labels' : undefined;
}

export interface Answerable {
  readonly rollout: Rollout;
  readonly leftOut: readonly Unanswered[];
}

/** The policy without the guards that a record can't answer. */
export function answerable(rollout: Rollout, recording: Recording): Answerable {
  const guards = rollout.guards ?? [];
  const leftOut = guards.flatMap((guard): readonly Unanswered[] => {
    const why = whyNot(guard, recording);
    return why === undefined ? [] : [{ name: guard.name, why }];
  });
  const isLeft = ({ name }: Guard): boolean => !leftOut.some((one) => one.name === name);
  return { rollout: { ...rollout, guards: guards.filter(isLeft) }, leftOut };
}

/** What a guard said of a record as it was. */
export interface Told {
  readonly guard: GuardStatus;
  /** Seconds from the beginning of the record to the first Fail; undefined: it never failed. */
  readonly failedAfter: number | undefined;
}

/**
 * A record in the order in which it happened, as one long step: when each guard would have failed first. Of a rollout the
 * candidate is held against the stable version; of a service as a whole it is taken for a candidate with all the traffic.
 */
export function inOrder(rollout: Rollout, recording: Recording): readonly Told[] {
  const from = beginningOf(recording);
  const isRollout = recording.candidate.length > 0;
  const ours = timeline(isRollout ? recording.candidate : recording.stable, from);
  const theirs = timeline(isRollout ? recording.stable : [], from);
  const [candidate, stable] = [new Counters(), new Counters()];
  for (const side of [candidate, stable]) side.begin();
  const weight = isRollout && recording.stable.length > 0 ? 50 : 100;
  const place = { phase: 'Shifting', step: 0, weight, before: 0 } as const;
  const told = new Map<string, Told>();
  for (let at = 1; at <= ours.length; at += 1) {
    candidate.take(tallyOf(ours[at - 1] ?? NOTHING), at);
    stable.take(tallyOf(theirs[at - 1] ?? NOTHING), at);
    if (!looksAt(at) && at < ours.length) continue;
    const course = { evidence: () => ({ candidate: candidate.evidence(at, {}), stable: stable.evidence(at, {}) }) };
    for (const guard of lookAt(rollout, place, course, at).guards) {
      const failedAfter = told.get(guard.name)?.failedAfter;
      // The first Fail is what acts: what was said then is what is shown.
      if (failedAfter !== undefined) continue;
      told.set(guard.name, { guard, failedAfter: guard.verdict === 'Fail' ? at : undefined });
    }
  }
  return [...told.values()];
}

/** Seconds of recorded traffic in blocks from anywhere in the record, which goes round: bursts and bad minutes stay whole. */
class Resampled implements Course {
  readonly #seconds: readonly Counted[];
  readonly #block: number;
  readonly #uniform: () => number;
  readonly #candidate = new Counters();
  readonly #stable = new Counters();
  #at = 0;
  #left = 0;

  constructor(seconds: readonly Counted[], block: number, seed: number) {
    this.#seconds = seconds;
    this.#block = block;
    this.#uniform = mulberry32(seed);
  }

  enter(): void {
    this.#candidate.begin();
    this.#stable.begin();
  }

  pass({ weight = 0, shadow }: { weight?: number | undefined; shadow?: number | undefined }, at: number): Tally {
    const second = this.#next();
    const [ours, rest] = parted(second, (shadow ?? weight) / 100, this.#uniform);
    const counted = tallyOf(ours);
    this.#candidate.take(counted, at);
    this.#stable.take(tallyOf(shadow === undefined ? rest : second), at);
    return counted;
  }

  #next(): Counted {
    if (this.#left === 0) {
      this.#at = Math.floor(this.#uniform() * this.#seconds.length);
      this.#left = this.#block;
    }
    this.#left -= 1;
    const second = this.#seconds[this.#at % this.#seconds.length] ?? NOTHING;
    this.#at += 1;
    return second;
  }

  evidence(seconds: number): ReturnType<Course['evidence']> {
    return { candidate: this.#candidate.evidence(seconds, {}), stable: this.#stable.evidence(seconds, {}) };
  }
}

/** A block is as long as bad times may last; a short record is cut into four at least. */
const BLOCK_SECONDS = 300;
export const blockOf = (seconds: number): number => Math.max(1, Math.min(BLOCK_SECONDS, Math.floor(seconds / 4)));

export interface ResampleQuestion {
  readonly rollout: Rollout;
  readonly recording: Recording;
  readonly runs: number;
  readonly mostSeconds: number;
}

/**
 * Rollouts of a candidate that is as the stable version was, under traffic like the recorded one (circular block
 * bootstrap, Politis & Romano 1992): each of its requests goes to either by the weight of the step. Whatever is rolled
 * back here is rolled back by mistake. Seeded: the same record has the same answer.
 */
export function resampled({
  rollout,
  recording,
  runs,
  mostSeconds,
}: ResampleQuestion): readonly Omit<Rehearsal, 'leftOut'>[] {
  const seconds = timeline(recording.stable, recording.stable[0]?.at ?? 0);
  const block = blockOf(seconds.length);
  return Array.from({ length: runs }, (_, i) => play({ rollout, mostSeconds }, new Resampled(seconds, block, i + 1)));
}

import type { Baseline, DriftSpec, Evidence } from '@slipway/crds';
import { parseDuration } from '../duration.ts';
import { type Counts, countsFrom, countsOf, vectorOf } from './counts.ts';
import { alarmKey, judge } from './judge.ts';
import { labelNotes } from './labelNotes.ts';
import { mismatchOf } from './mismatch.ts';
import { idle, questions } from './questions.ts';
import { Dispersions } from './series.ts';
import type { Sight } from './told.ts';
import { SlidingWindow, type WindowOptions } from './window.ts';

/** A window moves by a twelfth of itself, and is looked at then. */
const MOST_SLOTS = 12;

/** Slots of a window. One holds at least one reading, so a window shorter than the period is as long as the period. */
export function windowOptions({ window }: Pick<DriftSpec, 'window'>, periodMs: number): WindowOptions {
  const windowMs = Math.max(parseDuration(window), periodMs);
  const slots = Math.min(MOST_SLOTS, Math.floor(windowMs / periodMs));
  return { slotMs: windowMs / slots, slots };
}

const NO_BASELINE: Baseline = { schema: 'slipway.dev/baseline/v1', features: [], predictions: [] };
const LIKE_NOTHING = countsOf({} as Evidence);

export interface WatchOptions extends WindowOptions {
  /** undefined: the model has none. */
  readonly baseline: Baseline | undefined;
}

/** What is asked of a look, beside what was counted. */
export interface LookOptions {
  readonly spec: DriftSpec;
  readonly now: Date;
  /** alarmKey of what counts as drifted. */
  readonly before: ReadonlySet<string>;
}

/** The watch over one model: what its processes counted, in a window, against what it was trained on. */
export class DriftWatch {
  readonly baseline: Baseline | undefined;
  readonly #slotMs: number;
  readonly #window: SlidingWindow;
  #like: Counts = LIKE_NOTHING;
  #mismatch: string | undefined;
  readonly #dispersions = new Dispersions();
  /** The first slot whose dispersion is not yet known. */
  #dispersedUntil = 0;
  #lookedAt: number | undefined;
  /** Processes read since the last look. */
  #read = 0;
  #wasBlind = false;

  constructor({ baseline, slotMs, slots }: WatchOptions) {
    this.baseline = baseline;
    this.#slotMs = slotMs;
    this.#window = new SlidingWindow({ slotMs, slots });
  }

  /** Takes down what a pod reported at a time. Evidence that does not fit the baseline is told, and not counted. */
  record(pod: string, evidence: Evidence, at: Date): void {
    const counts = countsOf(evidence);
    const expected = this.baseline === undefined ? { ...counts, features: [], predictions: [] } : counts;
    this.#mismatch = mismatchOf(this.baseline ?? NO_BASELINE, expected);
    this.#read += 1;
    if (this.#mismatch !== undefined) return;
    this.#like = inOrder(expected, this.baseline ?? NO_BASELINE);
    const process = { id: `${pod}/${evidence.epoch}`, startedAt: new Date(evidence.startedAt) };
    this.#window.record(process, vectorOf(this.#like), at);
  }

  /**
   * Whether a slot has become complete since the last look. One look a slot: the budget of false alarms is divided by the
   * looks, and a look in between would see the same rows again. A watch that was blind says at once that it sees again.
   */
  isDue(now: Date): boolean {
    return this.#window.slotAt(now) !== this.#lookedAt || (this.#wasBlind && this.#read > 0);
  }

  look({ spec, now, before }: LookOptions): Sight {
    const read = this.#read;
    this.#read = 0;
    this.#lookedAt = this.#window.slotAt(now);
    this.#wasBlind = read === 0;
    if (this.#wasBlind) return { kind: 'Blind', message: 'No pod of the stable version could be read.' };
    if (this.baseline === undefined && spec.accuracy === undefined && spec.calibration === undefined) {
      return {
        kind: 'NoBaseline',
        message: 'The model has no baseline.json: write one in training to watch for drift.',
      };
    }
    if (this.#mismatch !== undefined) return { kind: 'BaselineMismatch', message: this.#mismatch };
    return this.#judged({ spec, now, before });
  }

  #judged({ spec, now, before }: LookOptions): Sight {
    const baseline = this.baseline ?? NO_BASELINE;
    const slots = this.#window.slots(now).map((slot) => countsFrom(slot, this.#like));
    const all = questions(spec, baseline);
    for (const slot of this.#unseen(slots, now)) this.#dispersions.add(all, slot);
    const none = ['The model has no baseline.json, so nothing but its labels is watched.'];
    return {
      kind: 'Judged',
      rows: Math.round(slots.reduce((sum, { rows }) => sum + rows, 0)),
      findings: judge({ spec, baseline, slots, dispersions: this.#dispersions, everyMs: this.#slotMs, before }),
      asked: new Set(all.map(alarmKey)),
      notes: [...(this.baseline === undefined ? none : idle(spec, baseline)), ...labelNotes(spec, slots)],
    };
  }

  /** Slots that became complete since the last judgement. */
  #unseen(slots: readonly Counts[], now: Date): readonly Counts[] {
    const current = this.#window.slotAt(now);
    const fresh = Math.min(slots.length, current - this.#dispersedUntil);
    this.#dispersedUntil = current;
    return fresh <= 0 ? [] : slots.slice(-fresh);
  }
}

/** Counts in the order of the baseline, so that vectors of all pods mean the same. */
function inOrder(counts: Counts, { features, predictions }: Baseline): Counts {
  const pick = (side: 'features' | 'predictions', names: readonly { readonly name: string }[]) => {
    const byName = new Map(counts[side].map((binned) => [binned.name, binned]));
    return names.flatMap(({ name }) => byName.get(name) ?? []);
  };
  return { ...counts, features: pick('features', features), predictions: pick('predictions', predictions) };
}

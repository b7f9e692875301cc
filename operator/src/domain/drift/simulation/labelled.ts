import { baseline, counted, driftSpec } from '../builders.ts';
import type { CalibrationBin, Counts } from '../counts.ts';
import { NO_BINS } from '../counts.ts';
import { judge } from '../judge.ts';
import { questions } from '../questions.ts';
import { Dispersions } from '../series.ts';

/** Labels of a classifier, as they come in. */
export interface Labelled {
  readonly labelsAnHour: number;
  /** Labels of one caller. */
  readonly labelsEach: number;
  /**
   * What a caller's labels have in common. nothing; all: one probability and one outcome; luck: each its own probability,
   * and the true chances of all are higher, or all lower, than the model says, which evens out over callers.
   */
  readonly alike: 'nothing' | 'all' | 'luck';
  /** Classes: with two no answer is less sure than 0.5, and so no more than five bins are used. */
  readonly classes: 'two' | 'many';
  readonly random: () => number;
}

const SLOTS = 12;
const SLOT_MS = 5 * 60_000;
const SLOTS_A_DAY = 288;
const LUCK = 0.8;
const NO_BASELINE = baseline([]);

/** Probability of the predicted class: between 0.5 and 1, 0.83 on average, or between 0 and 1, 0.75 on average. */
const confidenceOf = ({ classes, random }: Labelled): number =>
  classes === 'two' ? 0.5 + Math.sqrt(random()) / 2 : random() ** (1 / 3);

/** Labels of five minutes by a model that says `excess` more than is true. */
function slotOf(traffic: Labelled, excess: number): Counts {
  const { labelsAnHour, labelsEach, alike, random } = traffic;
  const bins: CalibrationBin[] = [...NO_BINS];
  for (let caller = 0; caller < labelsAnHour / SLOTS / labelsEach; caller += 1) {
    const luck = alike === 'luck' ? (random() < 0.5 ? LUCK : -LUCK) : 0;
    let [confidence, coin] = [confidenceOf(traffic), random()];
    for (let label = 0; label < labelsEach; label += 1) {
      if (alike !== 'all') [confidence, coin] = [confidenceOf(traffic), random()];
      const chance = confidence - excess;
      const right = coin < chance + luck * Math.max(0, Math.min(chance, 1 - chance)) ? 1 : 0;
      const at = Math.max(0, Math.ceil(confidence * 10) - 1);
      const bin = bins[at] ?? { n: 0, right: 0, confidence: 0 };
      bins[at] = { n: bin.n + 1, right: bin.right + right, confidence: bin.confidence + confidence };
    }
  }
  const [right, n] = [bins.reduce((sum, bin) => sum + bin.right, 0), bins.reduce((sum, bin) => sum + bin.n, 0)];
  return counted([], { labels: { right, wrong: n - right }, calibration: bins });
}

/** A window of 1h that moves by five minutes. */
class Watched {
  readonly #spec;
  readonly #slots: Counts[] = [];
  readonly #dispersions = new Dispersions();
  #before: ReadonlySet<string> = new Set();

  constructor(spec: ReturnType<typeof driftSpec>) {
    this.#spec = spec;
  }

  take(slot: Counts): void {
    this.#slots.push(slot);
    if (this.#slots.length > SLOTS) this.#slots.shift();
    this.#dispersions.add(questions(this.#spec, NO_BASELINE), slot);
  }

  look(): 'begins' | 'holds' | 'none' {
    const asked = { spec: this.#spec, baseline: NO_BASELINE, slots: this.#slots, dispersions: this.#dispersions };
    const [found] = judge({ ...asked, everyMs: SLOT_MS, before: this.#before });
    const was = this.#before.size > 0;
    this.#before = new Set(found?.drifted ? ['calibration/labels'] : []);
    if (!found?.drifted) return 'none';
    return was ? 'holds' : 'begins';
  }
}

/** Limit, and alarms that may be expected. */
export interface CalibrationLimit {
  readonly max: string;
  readonly per: string;
}
const specOf = ({ max, per }: CalibrationLimit) => driftSpec({ calibration: { max }, falseAlarms: { max: 1, per } });

/** Looks with an alarm, and alarms that began, in days of labels of a calibrated model. */
export function calibrationFalseAlarms(
  traffic: Labelled,
  limit: CalibrationLimit,
  days: number,
): { readonly begun: number; readonly held: number } {
  const watched = new Watched(specOf(limit));
  let [begun, held] = [0, 0];
  for (let slot = 0; slot < days * SLOTS_A_DAY; slot += 1) {
    watched.take(slotOf(traffic, 0));
    const told = watched.look();
    if (told === 'begins') begun += 1;
    if (told !== 'none') held += 1;
  }
  return { begun, held };
}

/** Labels from the onset of overconfidence, after a calm day, to its alarm; undefined: none in 24 h. */
export function labelsToAlarm(traffic: Labelled, limit: CalibrationLimit, excess: number): number | undefined {
  const watched = new Watched(specOf(limit));
  for (let slot = 0; slot < SLOTS_A_DAY; slot += 1) watched.take(slotOf(traffic, 0));
  for (let slot = 1; slot <= SLOTS_A_DAY; slot += 1) {
    watched.take(slotOf(traffic, excess));
    if (watched.look() !== 'none') return (slot * traffic.labelsAnHour) / SLOTS;
  }
  return undefined;
}

import { baseline, binned, counted, driftSpec, numeric, spread } from '../builders.ts';
import type { Counts } from '../counts.ts';
import { judge } from '../judge.ts';
import { questions } from '../questions.ts';
import { Dispersions } from '../series.ts';

/** A feature that is as in training for a day, and then has another distribution. */
export interface Onset {
  /** Population stability index of the new distribution. */
  readonly psi: number;
  readonly rowsAnHour: number;
  /** Rows that each caller sends: all the same. */
  readonly rowsEach: number;
  /** Features of the model, among which the budget of one false alarm in 30 days is shared. */
  readonly features: number;
  readonly random: () => number;
}

const BINS = 10;
const SLOTS = 12;
const SLOT_MS = 5 * 60_000;
const CALM_SLOTS = 288;
const MOST_SLOTS = 60;
const EVEN = Array.from({ length: BINS }, () => 1);

const tilted = (by: number): readonly number[] => EVEN.map((_, i) => Math.exp(by * (i - (BINS - 1) / 2)));
const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);
const psiFromEven = (weights: readonly number[]): number =>
  sum(weights.map((weight) => (weight / sum(weights) - 1 / BINS) * Math.log((weight / sum(weights)) * BINS)));

/** Weights that lean to one side, so far that their index against even ones is this. */
function leaning(psi: number): readonly number[] {
  let [low, high] = [0, 2];
  for (let i = 0; i < 50; i += 1) {
    const middle = (low + high) / 2;
    if (psiFromEven(tilted(middle)) < psi) low = middle;
    else high = middle;
  }
  return tilted(low);
}

function slotOf({ rowsAnHour, rowsEach, random }: Onset, weights: readonly number[]): Counts {
  const counts = new Array<number>(BINS).fill(0);
  const total = sum(weights);
  for (let caller = 0; caller < rowsAnHour / SLOTS / rowsEach; caller += 1) {
    let left = random() * total;
    let bin = 0;
    while (bin < BINS - 1 && left > (weights[bin] ?? 0)) {
      left -= weights[bin] ?? 0;
      bin += 1;
    }
    counts[bin] = (counts[bin] ?? 0) + rowsEach;
  }
  return counted([binned('f', counts)]);
}

/** Minutes from the onset of a drift to its alarm, in a window of 1h and limits by default; undefined: none in 5h. */
export function minutesToAlarm(onset: Onset): number | undefined {
  const of = baseline([numeric('f', spread(50_000, EVEN))]);
  const spec = driftSpec({ falseAlarms: { max: 1, per: `${30 * onset.features}d` } });
  const all = questions(spec, of);
  const dispersions = new Dispersions();
  const slots: Counts[] = [];
  const weights = leaning(onset.psi);
  for (let slot = 0; slot < CALM_SLOTS + MOST_SLOTS; slot += 1) {
    const next = slotOf(onset, slot < CALM_SLOTS ? EVEN : weights);
    slots.push(next);
    if (slots.length > SLOTS) slots.shift();
    dispersions.add(all, next);
    if (slot < CALM_SLOTS) continue;
    const found = judge({ spec, baseline: of, slots, dispersions, everyMs: SLOT_MS, before: new Set() });
    if (found.some(({ measure, drifted }) => measure === 'psi' && drifted)) return (slot - CALM_SLOTS + 1) * 5;
  }
  return undefined;
}

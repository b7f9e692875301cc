import type { Baseline, DriftSpec } from '@slipway/crds';
import { baseline, binned, categorical, counted, driftSpec, numeric } from '../builders.ts';
import type { Counts } from '../counts.ts';
import { alarmKey, judge } from '../judge.ts';
import { questions } from '../questions.ts';
import { Dispersions } from '../series.ts';

export const CLUMPED_FAULTS = ['missing', 'outOfRange', 'unseen', 'outliers'] as const;
export type ClumpedFault = (typeof CLUMPED_FAULTS)[number];

/** Few callers, each with many rows at once, of whom some have the fault in every row by habit. */
export interface Clumped {
  readonly fault: ClumpedFault;
  /** Limit of the fault, such as "5%". */
  readonly limit: string;
  /** Callers in five minutes, on average: a Poisson number. */
  readonly callers: number;
  readonly rowsEach: number;
  /** Share of callers with the habit. Of `missing`, training had as much; of the others it has none by definition. */
  readonly habit: number;
  readonly random: () => number;
}

const SLOTS = 12;
const SLOT_MS = 5 * 60_000;
const SLOTS_A_DAY = 288;
const MOST_SLOTS = 288;
const TRAINING_ROWS = 50_000;

function poisson(mean: number, random: () => number): number {
  let [count, left] = [0, random()];
  for (let chance = Math.exp(-mean); left > chance && count < 10 * mean + 50; chance *= mean / count) {
    left -= chance;
    count += 1;
  }
  return count;
}

/** Counts of five minutes in which `broken` is the share of rows that have the fault whoever sends them. */
function slotOf({ fault, callers, rowsEach, habit, random }: Clumped, broken: number): Counts {
  let [hits, rows] = [0, 0];
  for (let left = poisson(callers, random); left > 0; left -= 1) {
    rows += rowsEach;
    hits += random() < habit ? rowsEach : rowsEach * broken;
  }
  const gone = fault === 'missing' ? hits : 0;
  const faults = fault === 'missing' || fault === 'outliers' ? { missing: gone } : { [fault]: hits };
  return counted([binned('f', [rows - gone, 0], faults)], {
    rows,
    outliers: { judged: rows, beyond: fault === 'outliers' ? hits : 0 },
  });
}

function trainedOn({ fault, habit }: Clumped): Baseline {
  const present = fault === 'missing' ? Math.round(TRAINING_ROWS * (1 - habit)) : TRAINING_ROWS;
  return baseline([fault === 'unseen' ? categorical('f', [present]) : numeric('f', [present, 0])], [], TRAINING_ROWS);
}

/** A window of 1h that moves by five minutes, of which only the fault is asked. */
function watch(traffic: Clumped, falseAlarms: DriftSpec['falseAlarms']): (slot: Counts) => boolean {
  const { psi: _psi, missing: _missing, ...rest } = driftSpec({ falseAlarms });
  const spec = { ...rest, [traffic.fault]: traffic.limit } as DriftSpec;
  const of = trainedOn(traffic);
  const all = questions(spec, of);
  const dispersions = new Dispersions();
  const slots: Counts[] = [];
  let before: ReadonlySet<string> = new Set();
  return (slot) => {
    slots.push(slot);
    if (slots.length > SLOTS) slots.shift();
    dispersions.add(all, slot);
    const asked = { spec, baseline: of, slots, dispersions, everyMs: SLOT_MS, before };
    const alarms = judge(asked).filter(({ drifted }) => drifted);
    before = new Set(alarms.map(alarmKey));
    return alarms.length > 0;
  };
}

/** Looks with an alarm in days of traffic that does not change. */
export function clumpedFalseAlarms(traffic: Clumped, falseAlarms: DriftSpec['falseAlarms'], days: number): number {
  const look = watch(traffic, falseAlarms);
  let held = 0;
  for (let slot = 0; slot < days * SLOTS_A_DAY; slot += 1) if (look(slotOf(traffic, 0))) held += 1;
  return held;
}

/**
 * Minutes until a share of `broken` of all rows has the fault is told, after a calm day; undefined: not within a day.
 * One alarm in 30 days, shared with 39 other questions.
 */
export function minutesToFault(traffic: Clumped, broken: number): number | undefined {
  const look = watch(traffic, { max: 1, per: '1200d' });
  for (let slot = 0; slot < SLOTS_A_DAY; slot += 1) look(slotOf(traffic, 0));
  for (let slot = 1; slot <= MOST_SLOTS; slot += 1) if (look(slotOf(traffic, broken))) return slot * 5;
  return undefined;
}

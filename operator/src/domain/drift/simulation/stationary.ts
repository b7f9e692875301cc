import type { Baseline, DriftSpec } from '@slipway/crds';
import { parseDuration } from '../../duration.ts';
import { baseline, binned, counted, numeric, spread } from '../builders.ts';
import type { Counts } from '../counts.ts';
import { alarmKey, judge } from '../judge.ts';
import { questions } from '../questions.ts';
import { Dispersions } from '../series.ts';

/** Traffic that never changes: every value is drawn from what the model was trained on. */
export interface Stationary {
  readonly spec: DriftSpec;
  readonly days: number;
  readonly features: number;
  /** Callers in a slot of five minutes, and rows that each sends: all the same. */
  readonly callers: number;
  readonly rowsEach: number;
  /** Share of values that are missing, in training as in traffic. */
  readonly missing: number;
  readonly random: () => number;
}

const BINS = 10;
const SLOTS = 12;
const SLOT_MS = 5 * 60_000;
const TRAINING_ROWS = 50_000;
const MINUTES_A_DAY = 24 * 60;

const features = (count: number): readonly string[] => Array.from({ length: count }, (_, i) => `f${i}`);

function trainedOn({ features: count, missing }: Stationary): Baseline {
  const present = Math.round(TRAINING_ROWS * (1 - missing));
  const counts = spread(
    present,
    Array.from({ length: BINS }, () => 1),
  );
  return baseline(
    features(count).map((name) => numeric(name, counts)),
    [],
    TRAINING_ROWS,
  );
}

function slotOf({ features: count, callers, rowsEach, missing, random }: Stationary): Counts {
  return counted(
    features(count).map((name) => {
      const counts = new Array<number>(BINS).fill(0);
      let gone = 0;
      for (let caller = 0; caller < callers; caller += 1) {
        if (random() < missing) gone += rowsEach;
        else {
          const bin = Math.floor(random() * BINS);
          counts[bin] = (counts[bin] ?? 0) + rowsEach;
        }
      }
      return binned(name, counts, { missing: gone });
    }),
    { rows: callers * rowsEach },
  );
}

/** False alarms in so many days of looks, each counted when it begins; and all looks at which one held. */
export function falseAlarms(traffic: Stationary): { readonly begun: number; readonly held: number } {
  const { spec, days } = traffic;
  if (parseDuration(spec.window) !== SLOTS * SLOT_MS) throw new Error('the simulated window is 1h');
  const of = trainedOn(traffic);
  const slots: Counts[] = [];
  const all = questions(spec, of);
  const dispersions = new Dispersions();
  let before: ReadonlySet<string> = new Set();
  let [begun, held] = [0, 0];
  for (let minute = 0; minute < days * MINUTES_A_DAY; minute += SLOT_MS / 60_000) {
    slots.push(slotOf(traffic));
    if (slots.length > SLOTS) slots.shift();
    dispersions.add(all, slots.at(-1) as Counts);
    const alarms = judge({ spec, baseline: of, slots, dispersions, everyMs: SLOT_MS, before }).filter(
      ({ drifted }) => drifted,
    );
    begun += alarms.filter((alarm) => !before.has(alarmKey(alarm))).length;
    held += alarms.length;
    before = new Set(alarms.map(alarmKey));
  }
  return { begun, held };
}

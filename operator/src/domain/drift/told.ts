import type { Condition, DriftSpec, DriftStatus } from '@slipway/crds';
import { type Observation, rfc3339 } from '../../kube/conditions.ts';
import type { EventNote } from '../../kube/contracts.ts';
import { percentText } from '../guards/percent.ts';
import { alarmKey, type Finding } from './judge.ts';
import { DISTANCES } from './questions.ts';

export const DRIFT_DETECTED = 'DriftDetected';

/** What a look came to. Judged with no finding: too few rows for any. `asked` holds the alarmKey of each question. */
export type Sight =
  | { readonly kind: 'Blind' | 'NoBaseline' | 'BaselineMismatch'; readonly message: string }
  | {
      readonly kind: 'Judged';
      readonly rows: number;
      readonly findings: readonly Finding[];
      readonly asked: ReadonlySet<string>;
      /** What the spec asks for and the model can't give. */
      readonly notes: readonly string[];
    };

/** What the status says already. */
export interface Before {
  readonly condition?: Condition;
  readonly drift?: DriftStatus;
}
export interface Telling {
  readonly spec: DriftSpec;
  /** Version that is watched. */
  readonly version: string;
  readonly now: Date;
}
export interface Told {
  readonly condition: Observation;
  readonly drift?: DriftStatus;
  /** Sentences of the condition that are no numbers. */
  readonly notes?: readonly string[];
}

type Entry = NonNullable<DriftStatus['worst']>[number];
const MOST_ENTRIES = 8;
const MOST_NAMED = 3;

const isShare = (measure: string): boolean => !DISTANCES.some((distance) => distance === measure);
const rowsText = (n: number): string => n.toLocaleString('en-US');
const written = (measure: string, value: number): string =>
  isShare(measure) ? percentText(value) : String(Number(value.toPrecision(3)));

const entryOf = ({ name, measure, value, low, high, limit, n, drifted, detail }: Finding): Entry => ({
  name,
  measure,
  value: written(measure, value),
  low: written(measure, low),
  high: written(measure, high),
  limit,
  n,
  drifted,
  ...(detail === undefined ? {} : { detail }),
});

function sentenceOf({ name, measure, value, low, high, limit, n, detail }: Entry): string {
  if (measure === 'accuracy') return `accuracy ${value} (${low} to ${high}), at least ${limit}, ${rowsText(n)} labels`;
  if (measure === 'calibration')
    return `calibration error ${value} (${low} to ${high}), limit ${limit}, ${rowsText(n)} labels${detail ? `, ${detail}` : ''}`;
  const subject = measure === 'outliers' ? measure : `${name} ${measure}`;
  return `${subject} ${value} (${low} to ${high}), limit ${limit}, ${rowsText(n)} rows`;
}

/** A name may be a feature's and a prediction's; the API tells entries apart by name and measure: the first stays. */
function distinct(entries: readonly Entry[]): readonly Entry[] {
  const first = new Map([...entries].reverse().map((entry) => [alarmKey(entry), entry]));
  return entries.filter((entry) => first.get(alarmKey(entry)) === entry);
}

const ofVersion = ({ drift }: Before, { version }: Telling): DriftStatus | undefined =>
  drift?.version === version ? drift : undefined;

/** alarmKey of what counts as drifted now. Read from the status, so that an operator that restarts goes on. */
export const alarms = (before: Before, telling: Telling): ReadonlySet<string> =>
  new Set((ofVersion(before, telling)?.worst ?? []).filter(({ drifted }) => drifted).map(alarmKey));

/** Alarms that nothing was learned about since: no rows are no proof that a drift has ended. */
function unanswered(before: Before, telling: Telling, sight: Sight): readonly Entry[] {
  const known = ofVersion(before, telling)?.worst?.filter(({ drifted }) => drifted) ?? [];
  if (sight.kind !== 'Judged') return known;
  const judged = new Set(sight.findings.map(alarmKey));
  return known.filter((entry) => sight.asked.has(alarmKey(entry)) && !judged.has(alarmKey(entry)));
}

const observation = (holds: boolean, reason: string, ...sentences: readonly string[]): Observation => ({
  type: DRIFT_DETECTED,
  status: holds ? 'True' : 'False',
  reason,
  message: sentences.join(' '),
});

function alarmed(entries: readonly Entry[], notes: readonly string[]): Observation {
  const named = entries.slice(0, MOST_NAMED).map(sentenceOf);
  const more = entries.length > MOST_NAMED ? [`and ${entries.length - MOST_NAMED} more`] : [];
  return observation(true, DRIFT_DETECTED, `${[...named, ...more].join('; ')}.`, ...notes);
}

/** What the look adds to what the status says. */
export function tell(before: Before, sight: Sight, telling: Telling): Told {
  const { spec, version, now } = telling;
  const kept = unanswered(before, telling, sight);
  const past = ofVersion(before, telling);
  const unchanged = past === undefined ? {} : { drift: past };
  if (sight.kind !== 'Judged') {
    if (kept.length > 0) return { condition: alarmed(kept, [`Not seen since: ${sight.message}`]), ...unchanged };
    return { condition: observation(false, sight.kind, sight.message), ...unchanged };
  }
  const { findings, notes, rows } = sight;
  if (findings.length === 0 && kept.length === 0) {
    const few = `Fewer than ${rowsText(spec.minSamples)} rows in the last ${spec.window}.`;
    return { condition: observation(false, 'InsufficientData', few, ...notes), ...unchanged };
  }
  const entries = distinct([...kept, ...findings.map(entryOf)]);
  const drifted = entries.filter((entry) => entry.drifted);
  const worst = [...drifted, ...entries.filter((entry) => !entry.drifted)].slice(0, MOST_ENTRIES);
  const [furthest] = worst;
  const calm = `${rowsText(rows)} rows of the last ${spec.window} are like the training data.`;
  return {
    condition:
      drifted.length > 0
        ? alarmed(drifted, notes)
        : observation(false, 'NoDrift', calm, ...(furthest ? [`Furthest: ${sentenceOf(furthest)}.`] : []), ...notes),
    drift: { at: rfc3339(now), version, n: rows, worst },
    ...(notes.length === 0 ? {} : { notes }),
  };
}

/** The Event that goes with a change: an alarm that begins, one that spreads, one that ends. */
export function noteOf(before: Before, { condition, drift }: Told): EventNote | undefined {
  const was = before.condition?.status === 'True';
  const is = condition.status === 'True';
  const known = new Set(before.drift?.worst?.filter(({ drifted }) => drifted).map(alarmKey));
  const spreads = drift?.worst?.some((entry) => entry.drifted && !known.has(alarmKey(entry))) ?? false;
  const action = 'WatchDrift';
  if (is && (!was || spreads)) return { type: 'Warning', reason: DRIFT_DETECTED, action, message: condition.message };
  if (was && !is) return { type: 'Normal', reason: 'DriftGone', action, message: condition.message };
  return undefined;
}

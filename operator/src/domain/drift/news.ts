import { parseDuration } from '../duration.ts';
import { alarmKey } from './judge.ts';
import type { Before, Telling, Told } from './told.ts';

/** A number moves when it changes by this share of itself or of its limit, whichever is larger. */
const MOVES = 0.1;

const numberOf = (text: string): number => Number.parseFloat(text);

type Entries = NonNullable<NonNullable<Told['drift']>['worst']>;

function moved(before: Entries, after: Entries): boolean {
  const known = new Map(before.map((entry) => [alarmKey(entry), entry]));
  return after.some((entry) => {
    const old = known.get(alarmKey(entry));
    if (old === undefined) return entry.drifted;
    const scale = Math.max(Math.abs(numberOf(old.value)), numberOf(entry.limit));
    const change = Math.abs(numberOf(entry.value) - numberOf(old.value));
    return entry.drifted !== old.drifted || entry.limit !== old.limit || change > MOVES * scale;
  });
}

/**
 * Whether a telling says something new. Each look moves each number a little: writing all that would be a write to etcd
 * for every service every few minutes, for ever. What is written is never older than two windows, so that one who reads
 * it knows that somebody still looks.
 */
export function isNews({ condition, drift: old }: Before, told: Told, generation: number, telling: Telling): boolean {
  const { reason, status, message } = told.condition;
  if (condition?.status !== status || condition.reason !== reason) return true;
  if (condition.observedGeneration !== generation) return true;
  if (told.drift === old || told.drift === undefined) return condition.message !== message || told.drift !== old;
  if (old?.version !== told.drift.version) return true;
  if (told.notes?.some((note) => !condition.message.includes(note))) return true;
  const age = telling.now.getTime() - Date.parse(old.at);
  return age >= 2 * parseDuration(telling.spec.window) || moved(old.worst ?? [], told.drift.worst ?? []);
}

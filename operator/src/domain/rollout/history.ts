import { createHash } from 'node:crypto';
import { rfc3339 } from '../../kube/conditions.ts';
import { canonicalJson } from '../revision.ts';
import type { Note } from './decision.ts';
import type { HistoryEntry, World } from './world.ts';

const LONGEST_HISTORY = 32;
const LONGEST_ENTRY = 512;

type Unsealed = Omit<HistoryEntry, 'hash'>;

/** SHA-256 over everything that the entry says, the hash of the one before included: no entry can be changed alone. */
export const sealOf = (entry: Unsealed): string => createHash('sha256').update(canonicalJson(entry)).digest('hex');

const entryOf = ({ from, to, reason, message, by, digest }: Note, now: Date, previousHash: string): Unsealed => ({
  from,
  to,
  at: rfc3339(now),
  reason,
  message: message.slice(0, LONGEST_ENTRY),
  ...(by === undefined ? {} : { by }),
  ...(digest === undefined ? {} : { digest }),
  previousHash,
});

/**
 * Entries as stored; those of a release that had no hashes get theirs, so that the chain begins with them. The API
 * takes no entry without one: left as they are, they would have it refuse every status that tells a new decision.
 */
function chained(stored: readonly Partial<HistoryEntry>[]): HistoryEntry[] {
  const chain: HistoryEntry[] = [];
  for (const entry of stored) {
    const unsealed = { ...entry, previousHash: chain.at(-1)?.hash ?? '' } as Unsealed;
    chain.push(entry.hash === undefined ? { ...unsealed, hash: sealOf(unsealed) } : (entry as HistoryEntry));
  }
  return chain;
}

/** The decisions told so far and a new one, bounded; each holds the hash of the one before, kept or not. */
export function historyWith({ status, now }: World, note: Note | undefined): HistoryEntry[] {
  const history = chained(status.history ?? []);
  if (note === undefined) return history;
  const entry = entryOf(note, now, history.at(-1)?.hash ?? '');
  return [...history, { ...entry, hash: sealOf(entry) }].slice(-LONGEST_HISTORY);
}

/** Index of the first entry that was changed, put in or taken out after it was written. undefined: the chain holds. */
export function brokenLink(history: readonly HistoryEntry[]): number | undefined {
  const at = history.findIndex(({ hash, ...entry }, i) => {
    const before = history[i - 1];
    return sealOf(entry) !== hash || (before !== undefined && entry.previousHash !== before.hash);
  });
  return at === -1 ? undefined : at;
}

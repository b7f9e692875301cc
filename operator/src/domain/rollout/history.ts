import { rfc3339 } from '../../kube/conditions.ts';
import { lengthened, sealOf } from '../chain.ts';
import type { Note } from './decision.ts';
import type { HistoryEntry, World } from './world.ts';

const LONGEST_HISTORY = 32;
const LONGEST_ENTRY = 512;

type Unsealed = Omit<HistoryEntry, 'hash'>;

export { brokenLink, sealOf } from '../chain.ts';

const entryOf = (
  { from, to, reason, message, by, digest }: Note,
  now: Date,
): Omit<HistoryEntry, 'hash' | 'previousHash'> => ({
  from,
  to,
  at: rfc3339(now),
  reason,
  message: message.slice(0, LONGEST_ENTRY),
  ...(by === undefined ? {} : { by }),
  ...(digest === undefined ? {} : { digest }),
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
  return note === undefined ? history : lengthened(history, entryOf(note, now), LONGEST_HISTORY);
}

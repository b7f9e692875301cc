import { createHash } from 'node:crypto';
import { canonicalJson } from './revision.ts';
import { wellFormed } from './wellFormed.ts';

/** An entry of a record that nobody can change afterwards without it being seen. */
export interface Link {
  /** Of the entry before, kept or not; empty: there was none. */
  readonly previousHash: string;
  readonly hash: string;
}

/** SHA-256 over everything that the entry says, the hash of the one before included: no entry can be changed alone. */
export const sealOf = (entry: object): string => createHash('sha256').update(canonicalJson(entry)).digest('hex');

/** The record with one more entry, which holds the hash of the one before; the oldest go where there are too many. */
export function lengthened<T extends Link>(
  record: readonly T[],
  entry: Omit<T, 'hash' | 'previousHash'>,
  most: number,
): T[] {
  const unsealed = { ...wellFormed(entry), previousHash: record.at(-1)?.hash ?? '' };
  return [...record, { ...unsealed, hash: sealOf(unsealed) } as unknown as T].slice(-most);
}

/** Index of the first entry that was changed, put in or taken out after it was written. undefined: the chain holds. */
export function brokenLink(record: readonly Link[]): number | undefined {
  const at = record.findIndex(({ hash, ...entry }, i) => {
    const before = record[i - 1];
    return sealOf(entry) !== hash || (before !== undefined && entry.previousHash !== before.hash);
  });
  return at === -1 ? undefined : at;
}

import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DIRECTORIES, type Place } from '@slipway/crds/contract';
import { Failure, sentenceOf } from '../failure.ts';
import type { StoreContext } from './store.ts';

/** Entries of the Secret of a store, by key. Empty: the store is open to everybody. */
export type Credentials = Readonly<Record<string, string>>;

/**
 * Reads the Secret of a place from where it is mounted, a file an entry. Never from the environment: what a user's
 * container may set must not decide whose credentials are used. Throws Failure CredentialsRefused.
 */
export async function readCredentials(
  { uri, secret }: Place,
  { credentials = DIRECTORIES.credentials }: Pick<StoreContext, 'credentials'>,
): Promise<Credentials> {
  if (secret === undefined) return {};
  const folder = join(credentials, secret);
  try {
    // A mounted Secret has links beside its entries, whose names begin with two dots.
    const names = (await readdir(folder)).filter((name) => !name.startsWith('..'));
    if (names.length === 0) throw new Error('it is not in the namespace of this pod, or is empty');
    const entries = names.map(async (name) => [name, (await readFile(join(folder, name), 'utf8')).trim()] as const);
    return Object.fromEntries(await Promise.all(entries));
  } catch (cause) {
    throw new Failure('CredentialsRefused', `Secret ${secret} of ${uri} cannot be read: ${sentenceOf(cause)}.`, {
      cause,
    });
  }
}

/** A pair of entries of which one is useless without the other. Throws Failure CredentialsRefused naming both. */
export function bothOrNone(
  credentials: Credentials,
  one: string,
  other: string,
): readonly [string, string] | undefined {
  const [first, second] = [credentials[one], credentials[other]];
  if (first !== undefined && second !== undefined) return [first, second];
  if (first === undefined && second === undefined) return undefined;
  throw new Failure(
    'CredentialsRefused',
    `The Secret has ${first === undefined ? other : one} without ${first === undefined ? one : other}: set both.`,
  );
}

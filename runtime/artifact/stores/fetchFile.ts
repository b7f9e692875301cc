import { createHash, type Hash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { type FileHandle, mkdir, open, rename, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { ManifestEntry } from '@slipway/crds';
import { Failure, sentenceOf } from '../failure.ts';
import { diskFailure } from './diskFailure.ts';
import { realSleep } from './realSleep.ts';
import type { RemoteFile, Store, StoreContext } from './store.ts';

/** Tries in a row that gained nothing; each one that gained a byte begins the count anew. */
const TRIES = 6;
const FIRST_WAIT_MS = 250;
const LONGEST_WAIT_MS = 8_000;

/** One file on its way from a store to a disk. */
export interface Transfer {
  readonly store: Pick<Store, 'read'>;
  readonly base: string;
  readonly file: RemoteFile;
  /** Where it is to lie. */
  readonly target: string;
  /** Where it grows until it is whole. What lies there from an earlier run is continued. */
  readonly partial: string;
  readonly context: StoreContext;
  readonly seen: (bytes: number) => void;
}

/**
 * Fetches one file: each byte is hashed as it comes, a cut is continued where it happened, and the file has its name
 * only once its hash is right. Throws Failure DigestMismatch for other content, StoreUnavailable when the store stays
 * away, StoreFull, and whatever the store itself refuses with.
 */
export async function fetchFile(transfer: Transfer): Promise<ManifestEntry> {
  const { file, target } = transfer;
  const present = file.sha256 === undefined ? undefined : await hashOf(target);
  if (present !== undefined && present.size === file.size && present.sha256 === file.sha256) return present.entry(file);
  const old = await hashOf(transfer.partial);
  const kept = file.sha256 !== undefined && old !== undefined && old.size > 0;
  const fetched = await download(transfer, kept ? old : undefined);
  if (fetched !== undefined) return fetched;
  // What an earlier run left was of something else: once more from the beginning.
  await rm(transfer.partial, { force: true });
  return (await download(transfer, undefined)) as ManifestEntry;
}

/** Undefined when the content is wrong and part of it came from an earlier run. */
async function download(transfer: Transfer, kept: PartialFile | undefined): Promise<ManifestEntry | undefined> {
  const { file, partial, target } = transfer;
  const state = { hash: kept?.hash ?? createHash('sha256'), size: kept?.size ?? 0 };
  transfer.seen(state.size);
  await inFolder(partial);
  const handle = await open(partial, kept === undefined ? 'w' : 'r+', 0o644).catch(failDisk);
  try {
    await receive(transfer, handle, state);
  } finally {
    await handle.close();
  }
  const sha256 = state.hash.digest('hex');
  if (file.sha256 !== undefined && sha256 !== file.sha256) {
    if (kept !== undefined) return undefined;
    await rm(partial, { force: true });
    throw new Failure(
      'DigestMismatch',
      `${file.path} of ${transfer.base} hashes to ${sha256}, not to ${file.sha256}: it was changed.`,
    );
  }
  await inFolder(target);
  await rename(partial, target).catch(failDisk);
  return { path: file.path, size: state.size, sha256 };
}

interface State {
  readonly hash: Hash;
  size: number;
}

async function receive(transfer: Transfer, handle: FileHandle, state: State): Promise<void> {
  const { context, file, base } = transfer;
  for (let tries = 0; ; ) {
    const before = state.size;
    const cause = await readOnce(transfer, handle, state);
    if (cause === undefined) return;
    tries = state.size > before ? 1 : tries + 1;
    if (tries >= TRIES) {
      throw new Failure(
        'StoreUnavailable',
        `${file.path} of ${base} stopped coming at byte ${state.size}${file.size === undefined ? '' : ` of ${file.size}`}: ${cause}.`,
      );
    }
    context.say(`${file.path}: cut off at byte ${state.size} (${cause}): continued`);
    await (context.sleep ?? realSleep)(Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** (tries - 1)));
  }
}

/** Reads until the file is whole (undefined) or the store lets go (why). Failures of the store's own are thrown. */
async function readOnce(
  { store, base, file, seen }: Transfer,
  handle: FileHandle,
  state: State,
): Promise<string | undefined> {
  if (file.size !== undefined && state.size === file.size && file.size > 0) return undefined;
  const before = state.size;
  try {
    const stream = await store.read(base, file, state.size);
    for await (const chunk of stream as AsyncIterable<Buffer>) {
      state.hash.update(chunk);
      await writeAt(handle, chunk, state.size);
      state.size += chunk.length;
      seen(chunk.length);
      if (file.size !== undefined && state.size > file.size) throw tooLong(base, file);
    }
  } catch (error) {
    if (error instanceof Failure && error.reason !== 'StoreUnavailable') throw error;
    return sentenceOf(error).replace(/\.$/, '');
  }
  if (file.size === undefined || state.size === file.size) return undefined;
  if (state.size === before) throw tooShort(base, file, state.size);
  return 'the store ended it early';
}

const tooLong = (base: string, { path, size }: RemoteFile): Failure =>
  new Failure('DigestMismatch', `${path} of ${base} is longer than the ${size} bytes of its manifest: it was changed.`);

/** Asked for what follows, a store that is sound says that nothing does: no cut in the line looks like that. */
const tooShort = (base: string, { path, size }: RemoteFile, found: number): Failure =>
  new Failure(
    'DigestMismatch',
    `${path} of ${base} ends at byte ${found} of the ${size} of its manifest: it was cut short.`,
  );

async function writeAt(handle: FileHandle, chunk: Buffer, position: number): Promise<void> {
  for (let at = 0; at < chunk.length; ) {
    const { bytesWritten } = await handle.write(chunk, at, chunk.length - at, position + at).catch(failDisk);
    at += bytesWritten;
  }
}

const inFolder = async (path: string): Promise<void> => {
  await mkdir(dirname(path), { recursive: true, mode: 0o755 }).catch(failDisk);
};

const failDisk = (cause: unknown): never => {
  throw diskFailure('The disk of this pod', cause);
};

interface PartialFile {
  readonly size: number;
  /** Goes on with what follows. */
  readonly hash: Hash;
  readonly sha256: string;
  entry(file: RemoteFile): ManifestEntry;
}

/** What lies at a path from an earlier run; undefined: nothing. */
async function hashOf(path: string): Promise<PartialFile | undefined> {
  const found = await stat(path).catch(() => undefined);
  if (found?.isFile() !== true) return undefined;
  const hash = createHash('sha256');
  let size = 0;
  for await (const chunk of createReadStream(path, { highWaterMark: 1024 * 1024 }) as AsyncIterable<Buffer>) {
    hash.update(chunk);
    size += chunk.length;
  }
  const sha256 = hash.copy().digest('hex');
  return { size, hash, sha256, entry: ({ path: name }) => ({ path: name, size, sha256 }) };
}

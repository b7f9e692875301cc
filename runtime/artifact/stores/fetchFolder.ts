import { createHash } from 'node:crypto';
import { rm, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import type { ManifestEntry } from '@slipway/crds';
import { Failure } from '../failure.ts';
import { inParallel } from '../inParallel.ts';
import { fetchFile } from './fetchFile.ts';
import { meter } from './progress.ts';
import type { Listing, RemoteFile, Store, StoreContext } from './store.ts';

/** Files fetched at a time. */
const WIDTH = 4;
/** Folder of what is not whole yet; a leading dot keeps it from being taken for a file of the artifact. */
const PARTIAL = '.partial';

/**
 * Fetches the files of a listing into a folder; what an earlier run left there is kept and continued. Returns what came,
 * in the order of the listing. Throws Failure ArtifactOversized before the first byte when it is more than may be
 * fetched, StoreFull when it is more than the disk has room for, and what fetchFile throws.
 */
export async function fetchFolder(
  store: Pick<Store, 'read'>,
  { base, files }: Listing,
  into: string,
  context: StoreContext,
): Promise<readonly ManifestEntry[]> {
  const total = files.reduce((sum, { size = 0 }) => sum + size, 0);
  refuseOversized(base, total, context);
  const progress = meter('fetched', total, context);
  const partialOf = ({ path }: RemoteFile) => join(into, PARTIAL, createHash('sha256').update(path).digest('hex'));
  let fetched = 0;
  const seen = (bytes: number) => {
    fetched += bytes;
    refuseOversized(base, fetched, context);
    progress.add(bytes);
  };
  const entries = await inParallel(files, WIDTH, (file) =>
    fetchFile({ store, base, file, target: join(into, file.path), partial: partialOf(file), context, seen }),
  ).catch(async (error: unknown) => {
    throw (await fullDisk(error, into, total)) ?? error;
  });
  await rm(join(into, PARTIAL), { recursive: true, force: true });
  progress.done();
  return entries;
}

function refuseOversized(base: string, bytes: number, { maxBytes }: StoreContext): void {
  if (maxBytes === undefined || bytes <= maxBytes) return;
  throw new Failure('ArtifactOversized', `${base} holds ${bytes} bytes or more, and ${maxBytes} may be fetched here.`);
}

/** The disk's own sentence, with the numbers that say how much is missing. */
async function fullDisk(error: unknown, into: string, total: number): Promise<Failure | undefined> {
  if (!(error instanceof Failure) || error.reason !== 'StoreFull') return undefined;
  const { bavail, bsize } = await statfs(into);
  return new Failure('StoreFull', `${error.message} ${total} bytes were to be fetched, ${bavail * bsize} are free.`, {
    cause: error,
  });
}

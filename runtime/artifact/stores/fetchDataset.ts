import { mkdir, realpath, rm, symlink } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { artifactDigest, type ManifestEntry } from '@slipway/crds';
import type { DatasetOrder, TerminationReason } from '@slipway/crds/contract';
import { Failure } from '../failure.ts';
import { hashFiles } from '../hash.ts';
import { onDisk } from './diskFailure.ts';
import { fetchFolder } from './fetchFolder.ts';
import { withStore } from './openStore.ts';
import { folderOf, schemeOf } from './place.ts';
import { bytesOf, type Listing, type StoreContext } from './store.ts';

export interface FetchedDataset {
  readonly name: string;
  /** What was found, by the rule of artifacts: sha256 over the sorted list of (sha256, size, path). */
  readonly digest: string;
  readonly files: number;
  readonly bytes: number;
  /** In the order of their paths. */
  readonly entries: readonly ManifestEntry[];
}

/** What a store says of an artifact, said of a data set. */
const AS_DATASET: Readonly<Partial<Record<TerminationReason, TerminationReason>>> = {
  ArtifactMissing: 'DatasetMissing',
  DigestMismatch: 'DatasetInvalid',
  OutputInvalid: 'DatasetInvalid',
  ArtifactOversized: 'DatasetInvalid',
};

/**
 * Makes a data set stand at the folder `into`: one of a claim is linked where it lies (the claim must be mounted in every
 * container that reads it), any other is fetched. A single file stands in the folder under its own name. Whatever was
 * found is hashed; with a digest in the order it must have that. What an earlier try left is kept or replaced. Throws
 * Failure DatasetMissing, DatasetInvalid, CredentialsRefused, StoreUnavailable or StoreFull.
 */
export async function fetchDataset(order: DatasetOrder, into: string, context: StoreContext): Promise<FetchedDataset> {
  try {
    const entries = await withStore(order, context, async (store) => {
      const listing = await store.list(order.uri);
      return schemeOf(order.uri) === 'pvc'
        ? link(order, listing, into, context)
        : fetchFolder(store, listing, into, context);
    });
    return checked(order, entries);
  } catch (error) {
    throw asDataset(order, error);
  }
}

async function link(
  order: DatasetOrder,
  listing: Listing,
  into: string,
  context: StoreContext,
): Promise<readonly ManifestEntry[]> {
  const folder = await realpath(folderOf(listing.base, context));
  const isFile = listing.base !== order.uri;
  await onDisk('The folder of inputs', async () => {
    await rm(into, { recursive: true, force: true });
    if (isFile) await mkdir(into, { recursive: true });
    const file = listing.files[0]?.path ?? '';
    await symlink(isFile ? join(folder, file) : folder, isFile ? join(into, basename(file)) : into);
  });
  return (
    await hashFiles(
      folder,
      listing.files.map(({ path }) => path),
    )
  ).entries;
}

function checked({ name, uri, digest }: DatasetOrder, entries: readonly ManifestEntry[]): FetchedDataset {
  const found = artifactDigest(entries);
  if (digest === undefined || digest === found)
    return { name, digest: found, files: entries.length, bytes: bytesOf(entries), entries };
  throw new Failure('DatasetInvalid', `Data set ${name} (${uri}) hashes to ${found}, not to ${digest}.`);
}

function asDataset({ name }: DatasetOrder, error: unknown): unknown {
  if (!(error instanceof Failure)) return error;
  const reason = AS_DATASET[error.reason];
  return reason === undefined ? error : new Failure(reason, `Data set ${name}: ${error.message}`, { cause: error });
}

import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { artifactDigest, digestDirectory } from '@slipway/crds';
import { DIRECTORIES, FILES, type Place } from '@slipway/crds/contract';
import { Failure } from '../failure.ts';
import { type ArtifactHash, hashArtifact } from '../hash.ts';
import { onDisk } from './diskFailure.ts';
import { fetchFolder } from './fetchFolder.ts';
import { withStore } from './openStore.ts';
import { folderOf, schemeOf } from './place.ts';
import { bytesOf, type StoreContext } from './store.ts';

/** An artifact in a local folder, its digest checked. */
export interface OpenArtifact {
  readonly dir: string;
  readonly hash: ArtifactHash;
  /** Gives back the room that it took. */
  close(): Promise<void>;
}

/**
 * Brings an artifact into a local folder and checks its digest: one of a claim is read where it lies, any other is
 * fetched below `scratch`. Its claims.jsonl comes with it. Throws Failure ArtifactMissing, DigestMismatch,
 * ArtifactOversized, CredentialsRefused, StoreUnavailable or StoreFull.
 */
export async function openArtifact(place: Place, digest: string, context: StoreContext): Promise<OpenArtifact> {
  if (schemeOf(place.uri) === 'pvc') {
    const dir = folderOf(place.uri, context);
    return { dir, hash: await checked(dir, digest, place.uri), close: async () => undefined };
  }
  const dir = join(context.scratch ?? DIRECTORIES.scratch, digestDirectory(digest));
  const hash = await fetchArtifact(place, digest, dir, context);
  return { dir, hash, close: () => rm(dir, { recursive: true, force: true }) };
}

/** Fetches an artifact of any store into a folder. What is there from an earlier run is kept. Throws as openArtifact. */
export const fetchArtifact = (
  place: Place,
  digest: string,
  into: string,
  context: StoreContext,
): Promise<ArtifactHash> =>
  withStore(place, context, async (store) => {
    const manifest = await store.manifest(place.uri);
    refuseOther(manifest.digest, digest, place.uri);
    const entries = await fetchFolder(store, { base: place.uri, files: manifest.files }, into, context);
    const claims = await store.claims(place.uri);
    if (claims !== '') await onDisk('The disk of this pod', () => writeFile(join(into, FILES.claims), claims));
    const hash = { digest: artifactDigest(entries), files: entries.length, bytes: bytesOf(entries), entries };
    refuseOther(hash.digest, digest, place.uri);
    return hash;
  });

async function checked(dir: string, digest: string, uri: string): Promise<ArtifactHash> {
  const hash = await hashArtifact(dir);
  refuseOther(hash.digest, digest, uri);
  return hash;
}

function refuseOther(found: string, digest: string, uri: string): void {
  if (found === digest) return;
  throw new Failure(
    'DigestMismatch',
    `The files of ${uri} have digest ${found}, not ${digest}; they were changed after they were published.`,
  );
}

import { digestDirectory } from '@slipway/crds';
import type { Place } from '@slipway/crds/contract';
import { Failure } from '../artifact/failure.ts';
import { withStore } from '../artifact/stores/openStore.ts';
import { schemeOf } from '../artifact/stores/place.ts';
import type { StoreContext } from '../artifact/stores/store.ts';

/**
 * Takes the files of an artifact out of its store, its manifest first; reports stay, and one that is gone already is no
 * error. Only what the publisher made is removed: a folder that is not named by its digest belongs to somebody else.
 * Throws Failure ConfigurationInvalid, CredentialsRefused or StoreUnavailable.
 */
export async function removeArtifact(
  { place, digest }: { readonly place: Place; readonly digest: string },
  context: StoreContext,
): Promise<undefined> {
  const folder = place.uri.replace(/\/+$/, '').split('/').at(-1);
  if (schemeOf(place.uri) !== 'oci' && folder !== digestDirectory(digest)) {
    throw new Failure(
      'ConfigurationInvalid',
      `${place.uri} is not removed: only a folder named ${digestDirectory(digest)}, as the publisher makes it, ever is.`,
    );
  }
  await withStore(place, context, async (store) => {
    if (schemeOf(place.uri) === 'oci') await refuseOther(store.manifest(place.uri), place.uri, digest);
    await store.remove(place.uri);
  });
  context.say(`removed ${place.uri}`);
}

/** A manifest of a registry does not show in its address what it holds. */
async function refuseOther(manifest: Promise<{ readonly digest: string }>, uri: string, digest: string): Promise<void> {
  const found = await manifest.catch((error: unknown) => {
    if (error instanceof Failure && error.reason === 'ArtifactMissing') return undefined;
    throw error;
  });
  if (found === undefined || found.digest === digest) return;
  throw new Failure('ConfigurationInvalid', `${uri} holds ${found.digest}, not ${digest}: it is not removed.`);
}

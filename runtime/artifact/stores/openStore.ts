import type { Place } from '@slipway/crds/contract';
import { readCredentials } from './credentials.ts';
import { FolderStore } from './folder/folderStore.ts';
import { schemeOf } from './place.ts';
import type { Store, StoreContext } from './store.ts';

/**
 * Opens the store that a place lies in, with the credentials of its Secret. Nobody is asked anything yet. Clients are
 * loaded when they are needed: a model server of a claim never pays for them. Throws Failure ConfigurationInvalid.
 */
export async function openStore(place: Place, context: StoreContext): Promise<Store> {
  const scheme = schemeOf(place.uri);
  if (scheme === 'pvc') return new FolderStore(context);
  const credentials = await readCredentials(place, context);
  if (scheme === 's3') return (await import('./s3/s3Store.ts')).openS3Store(credentials, context);
  if (scheme === 'oci') return (await import('./oci/ociStore.ts')).openOciStore(credentials, context);
  return (await import('./web/webStore.ts')).openWebStore(credentials, context);
}

/** Opens a store, works with it and closes it, whatever happens. */
export async function withStore<T>(
  place: Place,
  context: StoreContext,
  work: (store: Store) => Promise<T>,
): Promise<T> {
  const store = await openStore(place, context);
  try {
    return await work(store);
  } finally {
    await store.close();
  }
}

import { FILES, type Place } from '@slipway/crds/contract';
import { fetchArtifact } from '../artifact/stores/openArtifact.ts';
import type { StoreContext } from '../artifact/stores/store.ts';

/**
 * Brings an artifact to where a server will load it, which hashes it once more itself. A pod that starts again after a
 * cut goes on where it was. Throws Failure as fetchArtifact does.
 */
export async function fetchServed(
  { place, digest, into }: { readonly place: Place; readonly digest: string; readonly into: string },
  context: StoreContext,
): Promise<undefined> {
  const { files, bytes } = await fetchArtifact(place, digest, into, context);
  context.say(`${place.uri} lies in ${into}: ${files} files, ${bytes} bytes, ${FILES.manifest} kept its word`);
}

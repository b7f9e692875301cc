import { artifactDigest } from '@slipway/crds';
import { entryOf } from '../hash.ts';
import { inParallel } from '../inParallel.ts';
import type { Manifest } from '../manifest.ts';
import type { Shipment, StoreContext } from './store.ts';

const WIDTH = 2;

/**
 * Hashes what is to be published. A store that names content by its digest has no name for it before: unlike a folder,
 * it cannot rename afterwards. Throws Failure OutputInvalid for a file that cannot be read.
 */
export async function hashShipment({ files }: Shipment, { say }: StoreContext): Promise<Manifest> {
  const entries = (await inParallel(files, WIDTH, ({ path, from }) => entryOf(path, from))).toSorted((a, b) =>
    a.path < b.path ? -1 : 1,
  );
  const digest = artifactDigest(entries);
  say(`hashed ${entries.length} files: ${digest}`);
  return { digest, files: entries };
}

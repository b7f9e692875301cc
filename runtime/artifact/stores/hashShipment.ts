import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { artifactDigest, type ManifestEntry } from '@slipway/crds';
import { Failure, sentenceOf } from '../failure.ts';
import { inParallel } from '../inParallel.ts';
import type { Manifest } from '../manifest.ts';
import type { LocalFile, Shipment, StoreContext } from './store.ts';

const WIDTH = 2;

/**
 * Hashes what is to be published. A store that names content by its digest has no name for it before: unlike a folder,
 * it cannot rename afterwards. Throws Failure OutputInvalid for a file that cannot be read.
 */
export async function hashShipment({ files }: Shipment, { say }: StoreContext): Promise<Manifest> {
  const entries = (await inParallel(files, WIDTH, entryOf)).toSorted((a, b) => (a.path < b.path ? -1 : 1));
  const digest = artifactDigest(entries);
  say(`hashed ${entries.length} files: ${digest}`);
  return { digest, files: entries };
}

async function entryOf({ path, from }: LocalFile): Promise<ManifestEntry> {
  const hash = createHash('sha256');
  let size = 0;
  try {
    for await (const chunk of createReadStream(from, { highWaterMark: 1024 * 1024 }) as AsyncIterable<Buffer>) {
      hash.update(chunk);
      size += chunk.length;
    }
  } catch (cause) {
    throw new Failure('OutputInvalid', `${path} cannot be read: ${sentenceOf(cause)}.`, { cause });
  }
  return { path, size, sha256: hash.digest('hex') };
}

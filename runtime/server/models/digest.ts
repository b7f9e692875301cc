import { readdir } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { type ArtifactHash, hashArtifact, hashFiles } from '../../artifact/hash.ts';
import type { FoundModel } from './modelFolder.ts';

/**
 * Digest of a model: of its directory, or of a bare file and what is called after it (`<name>.onnx.data` holds the
 * weights of a large one). Throws Failure ArtifactMissing or OutputInvalid.
 */
export async function digestOf({ path, bare }: Pick<FoundModel, 'path' | 'bare'>): Promise<ArtifactHash> {
  if (!bare) return hashArtifact(path);
  const folder = dirname(path);
  const siblings = await readdir(folder);
  return hashFiles(
    folder,
    siblings.filter((name) => name.startsWith(basename(path))),
  );
}

import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readdir, realpath, stat } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import { artifactDigest, type ManifestEntry } from '@slipway/crds';
import { FILES } from '@slipway/crds/contract';
import { Failure, sentenceOf } from './failure.ts';
import { inParallel } from './inParallel.ts';

/** Files read at a time: one is hashed while the next is read. */
const WIDTH = 2;
const CHUNK = 1024 * 1024;

export interface ArtifactHash {
  /** sha256:<hex> over the entries; see artifactDigest. */
  readonly digest: string;
  readonly files: number;
  readonly bytes: number;
  /** In the order of their paths. */
  readonly entries: readonly ManifestEntry[];
}

/** What lies beside the files of an artifact, at its root: made of the digest, and so not part of it. */
const BESIDE: ReadonlySet<string> = new Set([FILES.manifest, FILES.claims]);

/**
 * Reads every file under `root` and returns the digest of the artifact. The manifest and the signatures at the root are
 * left out, since they hold the digest. Throws Failure ArtifactMissing when `root` is no folder, OutputInvalid when it holds anything but
 * files, folders and links to files inside it: a link that leaves the root names content that the store does not hold.
 */
export async function hashArtifact(root: string): Promise<ArtifactHash> {
  const top = await realFolder(root);
  return hashFiles(top, await filesUnder(top));
}

/** The same of some files of a folder, by their paths in it: what a model without a folder of its own consists of. */
export async function hashFiles(root: string, paths: readonly string[]): Promise<ArtifactHash> {
  const entries = await inParallel(paths.toSorted(), WIDTH, (path) => entryOf(path, join(root, path)));
  const bytes = entries.reduce((sum, { size }) => sum + size, 0);
  return { digest: artifactDigest(entries), files: entries.length, bytes, entries };
}

async function realFolder(root: string): Promise<string> {
  const isFolder = await stat(root).then(
    (s) => s.isDirectory(),
    () => false,
  );
  if (!isFolder) throw new Failure('ArtifactMissing', `There is no artifact folder at ${root}.`);
  return realpath(root);
}

/** Paths of the files of an artifact, in no order. Throws Failure OutputInvalid. */
export async function filesUnder(root: string): Promise<readonly string[]> {
  const found = await readdir(root, { withFileTypes: true, recursive: true });
  const paths: string[] = [];
  for (const entry of found) {
    const path = relative(root, join(entry.parentPath, entry.name)).split(sep).join('/');
    if (entry.isDirectory() || BESIDE.has(path)) continue;
    if (entry.isSymbolicLink()) await refuseEscape(root, path);
    else if (!entry.isFile()) throw new Failure('OutputInvalid', `${path} is neither a file nor a folder.`);
    paths.push(path);
  }
  return paths;
}

async function refuseEscape(root: string, path: string): Promise<void> {
  const target = await realpath(join(root, path)).catch(() => undefined);
  const inside = target?.startsWith(root + sep) === true && (await stat(target)).isFile();
  if (inside) return;
  throw new Failure(
    'OutputInvalid',
    `${path} is a link to something that is not a file of the artifact; copy it instead.`,
  );
}

/** A file as a manifest tells of it, by its path there. Throws Failure OutputInvalid where it cannot be read. */
export async function entryOf(path: string, from: string): Promise<ManifestEntry> {
  const hash = createHash('sha256');
  let size = 0;
  try {
    for await (const chunk of createReadStream(from, { highWaterMark: CHUNK }) as AsyncIterable<Buffer>) {
      hash.update(chunk);
      size += chunk.length;
    }
  } catch (cause) {
    throw new Failure('OutputInvalid', `${path} cannot be read: ${sentenceOf(cause)}.`, { cause });
  }
  return { path, size, sha256: hash.digest('hex') };
}

import { createHash } from 'node:crypto';

/** One file of an artifact: path relative to its root with forward slashes, size in bytes, sha256 in hex. */
export interface ManifestEntry {
  readonly path: string;
  readonly size: number;
  readonly sha256: string;
}

/**
 * Digest of an artifact: sha256 over the list of (sha256, size, path) sorted by the bytes of the path. It names the
 * content and the layout, and nothing else: times, owners and the manifest file itself do not change it.
 */
export function artifactDigest(entries: readonly ManifestEntry[]): string {
  const lines = [...entries]
    .sort((a, b) => Buffer.compare(Buffer.from(a.path), Buffer.from(b.path)))
    .map(({ path, size, sha256 }) => `${sha256} ${size} ${path}\n`);
  return `sha256:${createHash('sha256').update(lines.join('')).digest('hex')}`;
}

/** Folder of an artifact in a store: "sha256:ab…" becomes "sha256-ab…", as a colon is not welcome in every path. */
export const digestDirectory = (digest: string): string => digest.replace(':', '-');

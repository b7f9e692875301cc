import { createHash, randomUUID } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { artifactDigest, type ManifestEntry } from '@slipway/crds';
import type { Place } from '@slipway/crds/contract';
import { temporaryFolder } from '../../../test/temporaryFolder.ts';
import { Failure } from '../../failure.ts';
import type { LocalFile, StoreContext } from '../store.ts';

/** A store to be tested, and the file that holds the bytes of one of its artifact's files. */
export interface Ground {
  readonly root: string;
  readonly secret?: string;
  readonly context: StoreContext;
  fileOf(uri: string, entry: Pick<ManifestEntry, 'path' | 'sha256'>): string;
}

export const placeAt = ({ secret }: Pick<Ground, 'secret'>, uri: string): Place => ({
  uri,
  ...(secret === undefined ? {} : { secret }),
});

/** A context whose waits take no time and whose lines are kept. */
export function contextIn(folder: string): StoreContext & { readonly lines: string[] } {
  const lines: string[] = [];
  return {
    lines,
    say: (line) => lines.push(line),
    now: Date.now,
    sleep: async () => undefined,
    claims: join(folder, 'claims'),
    credentials: join(folder, 'credentials'),
    scratch: join(folder, 'scratch'),
  };
}

/** Writes a Secret as the kubelet mounts it. */
export async function writeSecret(
  folder: string,
  name: string,
  entries: Readonly<Record<string, string>>,
): Promise<void> {
  const mounted = join(folder, 'credentials', name);
  await mkdir(mounted, { recursive: true });
  for (const [key, value] of Object.entries(entries)) await writeFile(join(mounted, key), `${value}\n`);
}

/** Files with content of their own, and what they hash to. A registry keeps equal content once, whoever put it. */
export async function localFiles(
  sizes: Readonly<Record<string, number>>,
  salt: string = randomUUID(),
): Promise<{
  readonly files: LocalFile[];
  readonly entries: ManifestEntry[];
  readonly digest: string;
  readonly folder: string;
}> {
  const folder = await temporaryFolder('output');
  const files: LocalFile[] = [];
  const entries: ManifestEntry[] = [];
  for (const path of Object.keys(sizes).toSorted()) {
    const bytes = bytesFor(`${salt} ${path}`, sizes[path] ?? 0);
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), bytes);
    files.push({ path, from: join(folder, path) });
    entries.push({ path, size: bytes.length, sha256: createHash('sha256').update(bytes).digest('hex') });
  }
  return { files, entries, digest: artifactDigest(entries), folder };
}

/** Bytes that no two names and no two places in one file share. */
function bytesFor(name: string, size: number): Buffer {
  const block = 64;
  const blocks = Array.from({ length: Math.ceil(size / block / 1024) }, (_, index) => {
    const one = createHash('sha512').update(`${name} ${index}`).digest();
    return Buffer.concat(Array.from({ length: 1024 }, () => one));
  });
  return Buffer.concat(blocks).subarray(0, size);
}

export const failureOf = (work: Promise<unknown>): Promise<{ reason: string; message: string }> =>
  work.then(
    () => ({ reason: 'none', message: 'it succeeded' }),
    (error: unknown) => {
      if (error instanceof Failure) return { reason: error.reason, message: error.message };
      throw error;
    },
  );

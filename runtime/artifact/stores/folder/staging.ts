import { randomUUID } from 'node:crypto';
import { chmod, mkdir, open, readdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { isAbsent, onDisk } from '../diskFailure.ts';
import { type Copied, copyHashed } from './copyHashed.ts';

/** A leading dot keeps it out of every listing by digest; readers only ever look for sha256-<hex>. */
const STAGING_PREFIX = '.staging-';

/** A publisher that takes longer than this is dead: what it left behind only fills the store. */
const ABANDONED_AFTER_MS = 24 * 3600 * 1000;

const READABLE = 0o644;

/** A folder beside its destination, on the same filesystem, so that one rename makes all of it visible at once. */
export interface Staging {
  readonly path: string;
  /** Copies a file in, readable by every pod that mounts the store, and waits until it is on disk. */
  copy(from: string, to: string, seen: (bytes: number) => void): Promise<Copied>;
  write(to: string, content: string | Uint8Array): Promise<void>;
  /** Makes the folder visible as `name`. False when that exists already; the staging folder is then still there. */
  commit(name: string): Promise<boolean>;
  discard(): Promise<void>;
}

/** Opens a staging folder in `parent`, which is made when missing. Throws Failure StoreUnavailable or StoreFull. */
export async function openStaging(parent: string, now: number, where: string): Promise<Staging> {
  const path = join(parent, `${STAGING_PREFIX}${randomUUID()}`);
  const inStore = <T>(work: () => Promise<T>) => onDisk(where, work);
  await inStore(async () => {
    await mkdir(path, { recursive: true, mode: 0o755 });
    await removeAbandoned(parent, now);
  });
  const at = (to: string) =>
    inStore(async () => {
      const target = join(path, to);
      await mkdir(dirname(target), { recursive: true, mode: 0o755 });
      return target;
    });
  return {
    path,
    async copy(from, to, seen) {
      const target = await at(to);
      return inStore(() => copyHashed(from, target, READABLE, seen));
    },
    async write(to, content) {
      const target = await at(to);
      await inStore(async () => {
        await writeFile(target, content);
        await chmod(target, READABLE);
        await flush(target);
      });
    },
    commit: (name) => inStore(() => makeVisible(path, join(parent, name))),
    discard: () => rm(path, { recursive: true, force: true }),
  };
}

/** A folder that is already there is not an error: it has the same digest for a name, so it may be the same content. */
async function makeVisible(from: string, to: string): Promise<boolean> {
  try {
    await rename(from, to);
  } catch (error) {
    if (['ENOTEMPTY', 'EEXIST'].includes((error as NodeJS.ErrnoException).code ?? '')) return false;
    throw error;
  }
  await flush(dirname(to));
  return true;
}

/** Another publisher beside this one may take its folder away while it is looked at: that is no fault of the store. */
async function removeAbandoned(parent: string, now: number): Promise<void> {
  for (const name of await readdir(parent)) {
    if (!name.startsWith(STAGING_PREFIX)) continue;
    const found = await stat(join(parent, name)).catch((error: unknown) => {
      if (isAbsent(error)) return undefined;
      throw error;
    });
    if (found === undefined || now - found.mtimeMs <= ABANDONED_AFTER_MS) continue;
    await rm(join(parent, name), { recursive: true, force: true });
  }
}

async function flush(path: string): Promise<void> {
  const file = await open(path, 'r');
  try {
    await file.sync();
  } finally {
    await file.close();
  }
}

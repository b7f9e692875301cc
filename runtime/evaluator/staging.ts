import { randomUUID } from 'node:crypto';
import { chmod, copyFile, mkdir, open, readdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Failure, sentenceOf } from '../artifact/failure.ts';

/** A leading dot keeps it out of every listing by digest; readers only ever look for sha256-<hex>. */
const STAGING_PREFIX = '.staging-';

/** A publisher that takes longer than this is dead: what it left behind only fills the store. */
const ABANDONED_AFTER_MS = 24 * 3600 * 1000;

/** A folder beside its destination, on the same filesystem, so that one rename makes all of it visible at once. */
export interface Staging {
  readonly path: string;
  /** Copies a file in, readable by every pod that mounts the store, and waits until it is on disk. */
  copy(from: string, to: string): Promise<void>;
  write(to: string, content: string): Promise<void>;
  /** Makes the folder visible as `name`. False when that exists already; the staging folder is then still there. */
  commit(name: string): Promise<boolean>;
  discard(): Promise<void>;
}

/** Opens a staging folder in `parent`, which is made when missing. Throws Failure StoreUnavailable. */
export async function openStaging(parent: string, now: number): Promise<Staging> {
  const path = join(parent, `${STAGING_PREFIX}${randomUUID()}`);
  await inStore(async () => {
    await mkdir(path, { recursive: true, mode: 0o755 });
    await removeAbandoned(parent, now);
  });
  const place = async (to: string, put: (target: string) => Promise<void>) => {
    const target = join(path, to);
    await inStore(async () => {
      await mkdir(dirname(target), { recursive: true, mode: 0o755 });
      await put(target);
      await chmod(target, 0o644);
      await flush(target);
    });
  };
  return {
    path,
    copy: (from, to) => place(to, (target) => copyFile(from, target)),
    write: (to, content) => place(to, (target) => writeFile(target, content)),
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

async function removeAbandoned(parent: string, now: number): Promise<void> {
  for (const name of await readdir(parent)) {
    if (!name.startsWith(STAGING_PREFIX)) continue;
    const { mtimeMs } = await stat(join(parent, name));
    if (now - mtimeMs > ABANDONED_AFTER_MS) await rm(join(parent, name), { recursive: true, force: true });
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

async function inStore<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    if (cause instanceof Failure) throw cause;
    throw new Failure('StoreUnavailable', `The store cannot be written: ${sentenceOf(cause)}.`, { cause });
  }
}

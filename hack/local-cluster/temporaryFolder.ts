import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { cacheDirectory } from './paths.ts';

/** Runs `work` with a folder that is removed afterwards; it lies in the cache, so that a rename into it is one step. */
export async function inTemporaryFolder<T>(work: (folder: string) => Promise<T>): Promise<T> {
  await mkdir(cacheDirectory(), { recursive: true });
  const folder = await mkdtemp(join(cacheDirectory(), 'build-'));
  try {
    return await work(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

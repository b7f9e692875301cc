import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { cached } from '../binaries/cached.ts';
import { withLock } from '../binaries/lock.ts';
import { run } from '../command.ts';
import { contentKey } from '../contentKey.ts';
import { cacheDirectory } from '../paths.ts';
import type { Log } from '../progress.ts';
import { inTemporaryFolder } from '../temporaryFolder.ts';
import { baseImage, ensureBaseImage, placeFile } from './base.ts';
import { buildImage, imageId } from './buildah.ts';

const NODE = `node-linux-${process.arch}@24.21.0`;
const NPM = 'npm@11.21.2';

const RUN_BASE = `FROM ${baseImage}
COPY node /usr/local/bin/node
CMD ["node"]
`;
const BUILD_BASE = `${RUN_BASE}COPY npm /usr/local/lib/node_modules/npm
RUN ln -s ../lib/node_modules/npm/bin/npm-cli.js /usr/local/bin/npm && ln -s ../lib/node_modules/npm/bin/npx-cli.js /usr/local/bin/npx
`;
const key = contentKey([NODE, NPM, BUILD_BASE]);

/** The twins of the public Node image, made from packages: one to run on, one that has npm too. */
export const nodeBases = { run: `slipway.dev/node:${key}`, build: `slipway.dev/node-npm:${key}` } as const;

/** A folder with node_modules of Node's binary and npm, from the npm registry. */
const nodePackages = (log: Log): Promise<string> =>
  cached(join(cacheDirectory(), `node-${key}`), async (target) => {
    log('fetching Node for the images');
    await mkdir(target, { recursive: true });
    // npm would refuse a package for another system, and take this folder's parents for its project.
    const quiet = ['--ignore-scripts', '--no-save', '--no-audit', '--no-fund', '--loglevel=error'];
    await run('npm', ['install', '--prefix', target, ...quiet, NODE, NPM]);
  });

export async function ensureNodeBases(log: Log): Promise<typeof nodeBases> {
  await mkdir(cacheDirectory(), { recursive: true });
  await withLock(join(cacheDirectory(), 'node-base.lock'), async () => {
    if ((await imageId(nodeBases.run)) !== undefined && (await imageId(nodeBases.build)) !== undefined) return;
    await ensureBaseImage(log);
    const modules = join(await nodePackages(log), 'node_modules');
    await inTemporaryFolder(async (context) => {
      await placeFile(join(modules, `node-linux-${process.arch}`, 'bin', 'node'), join(context, 'node'));
      await run('cp', ['-r', join(modules, 'npm'), join(context, 'npm')]);
      for (const [image, text] of [
        [nodeBases.run, RUN_BASE],
        [nodeBases.build, BUILD_BASE],
      ] as const) {
        await writeFile(join(context, 'Dockerfile'), text);
        await buildImage({ image, context, dockerfile: join(context, 'Dockerfile') }, log);
      }
    });
  });
  return nodeBases;
}

import { existsSync } from 'node:fs';
import { mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { archiveImage, imageId } from '../images/buildah.ts';
import type { Archive } from '../images/system.ts';
import type { Log } from '../progress.ts';
import { inTemporaryFolder } from '../temporaryFolder.ts';
import { ctr } from './containerd.ts';
import { directories } from './settings.ts';

/** A kubelet whose disk runs full throws away what no container uses. A path names no image: it is taken at its stamp. */
const isThere = async (name: string): Promise<boolean> =>
  name.startsWith('/') || (await ctr('images', 'list', '--quiet', `name==${name}`)).trim() !== '';

/** The stamp lies beside containerd's own store, so it goes when the store goes. */
async function loadOnce(name: string, version: string, load: () => Promise<void>): Promise<boolean> {
  const stamp = join(directories.loaded, encodeURIComponent(name));
  if ((await readFile(stamp, 'utf8').catch(() => '')) === version && (await isThere(name))) return false;
  await load();
  await mkdir(directories.loaded, { recursive: true });
  await writeFile(stamp, version);
  return true;
}

const importArchive = async (path: string): Promise<void> => {
  await ctr('images', 'import', '--digests=false', path);
};

/** Imports the archive unless the node has exactly it. */
export const loadArchive = async ({ image, path }: Archive): Promise<boolean> => {
  const { size, mtimeMs } = await stat(path);
  return loadOnce(image, `${basename(path)} ${size} ${mtimeMs}`, () => importArchive(path));
};

/** Makes an image available to the node: the path of a docker or OCI archive, or the name of an image we have built. */
export async function loadImage(nameOrPath: string, log: Log): Promise<void> {
  if (existsSync(nameOrPath)) {
    log(`loading ${nameOrPath}`);
    await loadArchive({ image: nameOrPath, path: nameOrPath });
    return;
  }
  const id = await imageId(nameOrPath);
  if (id === undefined) throw new Error(`There is no image ${nameOrPath} yet: build it with \`hack/images\`.`);
  const loaded = await loadOnce(nameOrPath, id, () =>
    inTemporaryFolder(async (folder) => {
      log(`loading ${nameOrPath}`);
      await archiveImage(nameOrPath, join(folder, 'image.tar'));
      await importArchive(join(folder, 'image.tar'));
    }),
  );
  if (!loaded) log(`${nameOrPath} is already loaded`);
}

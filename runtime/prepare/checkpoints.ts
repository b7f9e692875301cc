import { readdir, readlink, rename, rm, stat, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { FILES } from '@slipway/crds/contract';

/** Where a checkpoint is written before it is renamed: one that still has this name was torn by a death. */
const TORN = /\.tmp$/;

/** The number in a name such as 1200, step-1200 or checkpoint_00001200; that without one comes before all. */
const stepOf = (name: string): number => Number(/(\d+)(?!.*\d)/.exec(name)?.[1] ?? -1);

const isComplete = (folder: string): Promise<boolean> =>
  stat(join(folder, FILES.complete)).then(
    (s) => s.isFile(),
    () => false,
  );

const namesIn = (folder: string): Promise<string[]> => readdir(folder).catch(() => []);

/** The newest complete checkpoint by its step; of two with the same step, the one whose name is last. */
export async function newestCheckpoint(folder: string): Promise<string | undefined> {
  const names = (await namesIn(folder)).filter((name) => !name.startsWith(FILES.latest) && !TORN.test(name));
  const newestFirst = names.toSorted((a, b) => stepOf(b) - stepOf(a) || (a < b ? 1 : -1));
  for (const name of newestFirst) if (await isComplete(join(folder, name))) return name;
  return undefined;
}

/**
 * Makes checkpoints/latest a link to the newest complete checkpoint, and no link where there is none, and takes away the
 * torn ones. Nothing else is ever removed: what is not complete yet may be the trainer's own. Returns its name.
 */
export async function linkLatest(folder: string): Promise<string | undefined> {
  for (const name of await namesIn(folder))
    if (TORN.test(name)) await rm(join(folder, name), { recursive: true, force: true });
  const newest = await newestCheckpoint(folder);
  const link = join(folder, FILES.latest);
  if (newest === undefined) await rm(link, { force: true });
  else {
    const aside = `${link}.next`;
    await rm(aside, { force: true });
    await symlink(newest, aside);
    await rename(aside, link);
  }
  return newest;
}

/** What latest leads to, as pod 0 left it. */
export const latestCheckpoint = (folder: string): Promise<string | undefined> =>
  readlink(join(folder, FILES.latest)).catch(() => undefined);

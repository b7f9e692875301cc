import { link, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { currentProcess, isAlive, parseRecord, recordText } from '../processRecord.ts';
import { until } from '../until.ts';

const PATIENCE_MS = 30 * 60_000;
let attempts = 0;

/** Holds a lock file while `work` runs. A lock whose holder is dead is taken over. */
export async function withLock<T>(path: string, work: () => Promise<T>): Promise<T> {
  await until(() => take(path), { timeoutMs: PATIENCE_MS, everyMs: 250, what: `waiting for ${path}` });
  try {
    return await work();
  } finally {
    await rm(path, { force: true });
  }
}

const succeeded = (step: Promise<void>): Promise<boolean> =>
  step.then(
    () => true,
    () => false,
  );

/** A link appears with its content, so that nobody reads a lock that does not yet say whose it is. */
async function take(path: string): Promise<boolean> {
  const mine = `${path}.${process.pid}.${attempts++}`;
  await writeFile(mine, recordText(await currentProcess()));
  try {
    return (
      (await succeeded(link(mine, path))) || ((await removeStale(path, mine)) && (await succeeded(link(mine, path))))
    );
  } finally {
    await rm(mine, { force: true });
  }
}

const isHeld = async (path: string): Promise<boolean> => {
  const holder = parseRecord(await readFile(path, 'utf8').catch(() => ''));
  return holder !== undefined && (await isAlive(holder));
};

/** Moves a dead holder's lock aside; gives it back if meanwhile it became that of a living one. */
async function removeStale(path: string, mine: string): Promise<boolean> {
  if (await isHeld(path)) return false;
  const aside = `${mine}.stale`;
  if (!(await succeeded(rename(path, aside)))) return true;
  const revived = await isHeld(aside);
  if (revived) await succeeded(link(aside, path));
  await rm(aside, { force: true });
  return !revived;
}

import { readFile, rm, writeFile } from 'node:fs/promises';
import { currentProcess, isAlive, parseRecord, recordText } from '../processRecord.ts';
import { until } from '../until.ts';

const PATIENCE_MS = 30 * 60_000;

/** Holds a lock file while `work` runs. A lock whose holder is dead is taken over. */
export async function withLock<T>(path: string, work: () => Promise<T>): Promise<T> {
  await until(() => take(path), { timeoutMs: PATIENCE_MS, everyMs: 500, what: `waiting for ${path}` });
  try {
    return await work();
  } finally {
    await rm(path, { force: true });
  }
}

async function take(path: string): Promise<boolean> {
  const mine = recordText(await currentProcess());
  const taken = await writeFile(path, mine, { flag: 'wx' }).then(
    () => true,
    () => false,
  );
  if (taken) return true;
  const holder = parseRecord(await readFile(path, 'utf8'));
  if (holder === undefined || !(await isAlive(holder))) await rm(path, { force: true });
  return false;
}

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { cached } from './cached.ts';
import { withLock } from './lock.ts';

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'slipway-lock-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

test('two that want the same entry make it once', async () => {
  let made = 0;
  const make = (target: string): Promise<void> => {
    made++;
    return writeFile(target, 'made');
  };
  const path = join(folder, 'entry');
  expect(await Promise.all([cached(path, make), cached(path, make)])).toEqual([path, path]);
  expect(made).toBe(1);
});

test('a maker that fails leaves no entry, and the next one may try', async () => {
  const path = join(folder, 'entry');
  const fail = async (target: string): Promise<void> => {
    await writeFile(target, 'half');
    throw new Error('out of luck');
  };
  await expect(cached(path, fail)).rejects.toThrow('out of luck');
  expect(await cached(path, (target) => writeFile(target, 'whole'))).toBe(path);
});

test('the lock of a process that is gone is taken over', async () => {
  const path = join(folder, 'lock');
  await writeFile(path, '1 0 an-earlier-boot\n');
  expect(await withLock(path, async () => 'held')).toBe('held');
});

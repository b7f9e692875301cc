import { mkdir, readdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { beforeEach, describe, expect, test } from 'vitest';
import { temporaryFolder } from '../test/temporaryFolder.ts';
import { latestCheckpoint, linkLatest } from './checkpoints.ts';

let folder: string;
beforeEach(async () => {
  folder = await temporaryFolder('checkpoints');
});

async function checkpoint(name: string, isComplete = true): Promise<void> {
  await mkdir(join(folder, name));
  await writeFile(join(folder, name, 'weights'), name);
  if (isComplete) await writeFile(join(folder, name, '_COMPLETE'), '');
}

describe('checkpoints/latest', () => {
  test.each([
    ['nothing', [], [], undefined],
    ['the highest step, by number and not by letter', ['9', '10', '100'], [], '100'],
    ['the newest that is complete', ['5'], ['7'], '5'],
    ['names with a step in them', ['step-80', 'step-100'], ['step-120'], 'step-100'],
    ['a name with several numbers by its last', ['v2-step-10', 'v1-step-20'], [], 'v1-step-20'],
  ])('leads to %s', async (_what, complete, incomplete, want) => {
    for (const name of complete) await checkpoint(name);
    for (const name of incomplete) await checkpoint(name, false);
    expect(await linkLatest(folder)).toBe(want);
    expect(await latestCheckpoint(folder)).toBe(want);
    expect((await readdir(folder)).filter((name) => name !== 'latest').sort()).toEqual(
      [...complete, ...incomplete].sort(),
    );
  });

  test('is the highest of any steps', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uniqueArray(fc.nat(1e6), { minLength: 1, maxLength: 6 }), async (steps) => {
        folder = await temporaryFolder('checkpoints');
        for (const step of steps) await checkpoint(String(step));
        expect(await linkLatest(folder)).toBe(String(Math.max(...steps)));
      }),
      { numRuns: 20 },
    );
  });

  test('moves on, and goes when what it led to is gone', async () => {
    await checkpoint('1');
    await linkLatest(folder);
    await checkpoint('2');
    expect(await linkLatest(folder)).toBe('2');
    folder = await temporaryFolder('checkpoints');
    await symlink('3', join(folder, 'latest'));
    expect(await linkLatest(folder)).toBeUndefined();
    expect(await readdir(folder)).toEqual([]);
  });

  test('what a death left torn is removed, and nothing else ever is', async () => {
    await checkpoint('20.tmp', true);
    await checkpoint('10', false);
    await writeFile(join(folder, 'events.out'), 'tensorboard');
    expect(await linkLatest(folder)).toBeUndefined();
    expect((await readdir(folder)).sort()).toEqual(['10', 'events.out']);
  });

  test('a folder that is not there holds none', async () => {
    expect(await linkLatest(join(folder, 'none'))).toBeUndefined();
  });
});

import { mkdir, readdir, symlink, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { temporaryFolder } from '../../../test/temporaryFolder.ts';
import { openStaging } from './staging.ts';

const NOW = Date.parse('2026-01-02T12:00:00Z');

test('a folder of another publisher that is gone when it is looked at keeps nobody from publishing', async () => {
  const parent = await temporaryFolder('staging');
  // As after a rename between the listing and the look: the name is listed, and leads nowhere.
  await symlink(join(parent, 'committed'), join(parent, '.staging-other'));
  const staging = await openStaging(parent, NOW, 'pvc://models');
  await staging.write('model.onnx', 'x');
  expect(await staging.commit('sha256-a')).toBe(true);
});

test('what a publisher left a day ago is taken away, what one writes now is not', async () => {
  const parent = await temporaryFolder('staging');
  for (const [name, hours] of [
    ['.staging-old', 25],
    ['.staging-new', 1],
  ] as const) {
    await mkdir(join(parent, name));
    const at = new Date(NOW - hours * 3_600_000);
    await utimes(join(parent, name), at, at);
  }
  const staging = await openStaging(parent, NOW, 'pvc://models');
  await staging.discard();
  expect(await readdir(parent)).toEqual(['.staging-new']);
});

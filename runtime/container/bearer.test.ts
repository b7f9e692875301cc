import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { temporaryFolder } from '../test/temporaryFolder.ts';
import { bearerGate } from './bearer.ts';

let folder: string;
let file: string;
beforeAll(async () => {
  folder = await temporaryFolder('token');
  file = join(folder, 'token');
});

test.each([
  ['the token', 'Bearer s3cret', true],
  ['no header', undefined, false],
  ['another token', 'Bearer other', false],
  ['a prefix of the token', 'Bearer s3c', false],
  ['another scheme', 'Basic s3cret', false],
])('%s is judged', async (_what, header, granted) => {
  await writeFile(file, 's3cret\n');
  expect(await bearerGate(file)(header)).toBe(granted);
});

test('a rotated token counts at once and the old one no more', async () => {
  const gate = bearerGate(file);
  await writeFile(file, 'old');
  expect(await gate('Bearer old')).toBe(true);
  await writeFile(file, 'new');
  expect(await gate('Bearer old')).toBe(false);
  expect(await gate('Bearer new')).toBe(true);
});

test('a missing or empty file grants nothing, not even an empty token', async () => {
  expect(await bearerGate(join(folder, 'nope'))('Bearer ')).toBe(false);
  await writeFile(file, '\n');
  expect(await bearerGate(file)('Bearer ')).toBe(false);
});

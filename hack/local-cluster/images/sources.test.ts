import { mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { sourceKey } from './sources.ts';

let root = '';
const key = (): Promise<string> => sourceKey(root, ['src', 'one.json'], ['target']);

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'slipway-sources-'));
  await mkdir(join(root, 'src', 'node_modules', 'x'), { recursive: true });
  await writeFile(join(root, 'one.json'), '{}');
  await writeFile(join(root, 'src', 'a.ts'), 'a');
});
afterEach(() => rm(root, { recursive: true, force: true }));

const changes: Record<string, { change: () => Promise<void>; rebuilds: boolean }> = {
  'an edited file': { change: () => writeFile(join(root, 'src', 'a.ts'), 'b'), rebuilds: true },
  'an edited single file': { change: () => writeFile(join(root, 'one.json'), '[]'), rebuilds: true },
  'a new file': { change: () => writeFile(join(root, 'src', 'b.ts'), 'a'), rebuilds: true },
  'a renamed file': { change: () => rename(join(root, 'src', 'a.ts'), join(root, 'src', 'c.ts')), rebuilds: true },
  'a test': { change: () => writeFile(join(root, 'src', 'a.test.ts'), 'a'), rebuilds: false },
  'an installed package': {
    change: () => writeFile(join(root, 'src', 'node_modules', 'x', 'i.js'), ''),
    rebuilds: false,
  },
  'the same text written again': { change: () => writeFile(join(root, 'src', 'a.ts'), 'a'), rebuilds: false },
};

test.each(Object.entries(changes))('%s decides about a rebuild', async (_name, { change, rebuilds }) => {
  const before = await key();
  await change();
  expect((await key()) !== before).toBe(rebuilds);
});

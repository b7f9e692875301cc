import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { progressSchema } from '@slipway/crds/contract';
import { expect, it } from 'vitest';
import { progressWriter } from './progress.ts';

it('keeps one whole document, with the time left at the speed so far', async () => {
  const folder = join(await mkdtemp(join(tmpdir(), 'progress-')), 'status');
  let now = Date.parse('2026-01-01T00:00:00Z');
  const read = async () => progressSchema.parse(JSON.parse(await readFile(join(folder, 'progress.json'), 'utf8')));
  const report = progressWriter(folder, () => now);
  now += 1000;
  await report({ step: 10, total: 100, epoch: 0, metrics: { loss: 0.5 } });
  expect(await read()).toEqual({
    step: 10,
    total: 100,
    epoch: 0,
    metrics: { loss: 0.5 },
    etaSeconds: 9,
    at: '2026-01-01T00:00:01.000Z',
  });
  now += 100;
  await report({ step: 11, total: 100 });
  expect((await read()).step, 'a step soon after is not written').toBe(10);
  await report({ step: 100, total: 100 });
  expect(await read(), 'the last step always is').toMatchObject({ step: 100, etaSeconds: 0 });
  expect(await readdir(folder)).toEqual(['progress.json']);
  await rm(folder, { recursive: true });
});

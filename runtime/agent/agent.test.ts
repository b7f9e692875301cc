import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ADMIN, ServerProcess } from '../test/serverProcess.ts';
import { temporaryFolder } from '../test/temporaryFolder.ts';
import { readingOf } from './progress.ts';

test.each([
  ['nothing', undefined, { kind: 'none' }],
  ['a report', '{"step": 3, "total": 10}', { kind: 'report', progress: { step: 3, total: 10 } }],
  [
    'half a file',
    '{"step": 3',
    { kind: 'invalid', sentence: 'progress.json is not JSON; write it whole, then rename.' },
  ],
  [
    'another document',
    '{"step": "three"}',
    {
      kind: 'invalid',
      sentence: 'progress.json is not a progress report: step: Invalid input: expected number, received string.',
    },
  ],
])('%s in progress.json is read as such', (_what, text, want) => {
  expect(readingOf(text)).toEqual(want);
});

let statusDir: string;
let agent: ServerProcess;
beforeAll(async () => {
  statusDir = await temporaryFolder('status');
  agent = await ServerProcess.start('../agent/main.ts', { SLIPWAY_STATUS_DIR: statusDir });
}, 30_000);
afterAll(() => agent.kill());

const progress = async (headers: Record<string, string> = ADMIN) => {
  const response = await agent.fetch('admin', '/slipway/v1/progress', { headers });
  return [response.status, await response.json()];
};

test('the agent tells the progress of the trainer as its file changes', async () => {
  expect(await progress()).toEqual([404, { error: 'The trainer has not reported any progress yet.' }]);
  await writeFile(join(statusDir, 'progress.json'), '{"step": 3, "epoch": 1, "metrics": {"loss": 0.5}}');
  expect(await progress()).toEqual([200, { step: 3, epoch: 1, metrics: { loss: 0.5 } }]);
  await writeFile(join(statusDir, 'progress.json'), 'oops');
  expect(await progress()).toEqual([422, { error: 'progress.json is not JSON; write it whole, then rename.' }]);
});

test('the agent is live without a token and silent about progress without one', async () => {
  expect((await agent.fetch('admin', '/livez')).status).toBe(200);
  expect((await progress({}))[0]).toBe(401);
});

test('the agent leaves at once on SIGTERM, and leaves the last progress behind', async () => {
  await writeFile(join(statusDir, 'progress.json'), '{"step": 10, "total": 10}');
  agent.child.kill('SIGTERM');
  expect(await agent.exitCode()).toBe(0);
  expect(JSON.parse(await agent.lastWords())).toEqual({ step: 10, total: 10 });
});

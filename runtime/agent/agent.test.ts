import { appendFile, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { KUBEFLOW } from '@slipway/crds/contract';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ADMIN, ServerProcess } from '../test/serverProcess.ts';
import { temporaryFolder } from '../test/temporaryFolder.ts';

let statusDir: string;
let agent: ServerProcess;
const start = () => ServerProcess.start('../agent/main.ts', { SLIPWAY_STATUS_DIR: statusDir });
beforeAll(async () => {
  statusDir = await temporaryFolder('status');
  agent = await start();
}, 30_000);
afterAll(() => agent.kill());

const progress = async (headers: Record<string, string> = ADMIN) => {
  const response = await agent.fetch('admin', '/slipway/v1/progress', { headers });
  return [response.status, await response.json()];
};
const postToken = async () => (await readFile(join(statusDir, 'post-token'), 'utf8')).trim();
const post = async (body: string, token?: string) => {
  const authorization = `Bearer ${token ?? (await postToken())}`;
  const path = KUBEFLOW.path('ml', 'nightly');
  const response = await agent.fetch('admin', path, { method: 'POST', body, headers: { authorization } });
  return [response.status, await response.json()];
};

test('the agent is live without a token and silent about progress without one', async () => {
  expect((await agent.fetch('admin', '/livez')).status).toBe(200);
  expect((await progress({}))[0]).toBe(401);
});

test('the trainer posts with the token that the agent left for it, and with no other', async () => {
  await agent.logged('listening');
  expect(await post('{}', 'guess')).toMatchObject([401, { error: expect.stringContaining('SERVER_TOKEN') }]);
  expect((await post('{}', 'test-token'))[0]).toBe(401);
});

test.each([
  ['no document', '{', 422, 'Send {"trainerStatus"'],
  ['another document', '{"progress": 3}', 422, 'Send {"trainerStatus"'],
  ['more than all of it', '{"trainerStatus":{"progressPercentage": 101}}', 422, 'progressPercentage'],
  ['a flood', `"${'x'.repeat(300_000)}"`, 413, 'at most 262144 bytes'],
])('a POST of %s is answered in a sentence, and leaves no progress', async (_what, body, status, sentence) => {
  expect(await post(body)).toMatchObject([status, { error: expect.stringContaining(sentence) }]);
  expect((await progress())[0]).toBe(404);
});

test('the agent tells the progress of the trainer as its file changes, a loss that is no number included', async () => {
  expect(await progress()).toEqual([404, { error: 'The trainer has not reported any progress yet.' }]);
  await writeFile(join(statusDir, 'progress.json'), '{"step": 3, "epoch": 1, "metrics": {"loss": NaN, "lr": 0.5}}');
  const told = { step: 3, epoch: 1, metrics: { lr: 0.5 }, nonFinite: { loss: 'NaN' }, source: 'File' };
  expect(await progress()).toEqual([200, told]);
  await writeFile(join(statusDir, 'progress.json'), 'oops');
  expect(await progress()).toEqual([422, { error: 'progress.json is not JSON; write it whole, then rename.' }]);
});

test('a trainer that reports in two ways is followed in the way it began with', async () => {
  await writeFile(join(statusDir, 'progress.json'), '{"step": 4}');
  expect((await post('{"trainerStatus": {"progressPercentage": 90}}'))[0]).toBe(200);
  expect(await progress()).toEqual([200, { step: 4, source: 'File' }]);
});

test('lines appended to progress.jsonl do as well, up to the last that is whole', async () => {
  await rm(join(statusDir, 'progress.json'));
  await appendFile(join(statusDir, 'progress.jsonl'), '{"step": 5}\n{"step": 6}\n{"ste');
  expect(await progress()).toEqual([200, { step: 6, source: 'File' }]);
});

test('who is missing is told without a token, as the pods of the gang have none', async () => {
  expect((await agent.fetch('admin', '/slipway/v1/gathering')).status).toBe(404);
  await writeFile(join(statusDir, 'gathering.json'), '{"stage":"Gathering","missing":[2]}');
  const response = await agent.fetch('admin', '/slipway/v1/gathering');
  expect(await response.json()).toEqual({ stage: 'Gathering', missing: [2] });
});

test('a restarted agent leaves the token alone, which the trainer may hold already', async () => {
  const before = await postToken();
  const second = await start();
  await second.logged('listening');
  expect(await postToken()).toBe(before);
  await second.kill();
});

test('the agent leaves at once on SIGTERM, and leaves the last progress and the error of torchrun behind', async () => {
  await writeFile(join(statusDir, 'progress.json'), '{"step": 10, "total": 10}');
  const error = { message: { message: 'RuntimeError: shapes differ', extraInfo: {} } };
  await writeFile(join(statusDir, 'error.json'), JSON.stringify(error));
  agent.child.kill('SIGTERM');
  expect(await agent.exitCode()).toBe(0);
  expect(JSON.parse(await agent.lastWords())).toEqual({
    step: 10,
    total: 10,
    source: 'File',
    error: 'RuntimeError: shapes differ',
  });
});

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';
import { decodeReport } from '@slipway/crds';
import { afterEach, beforeEach, expect, it } from 'vitest';

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'trainer-'));
});
afterEach(() => rm(root, { recursive: true, force: true }));

const start = (parameters: Record<string, string>) => {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'main.ts')], {
    env: {
      SLIPWAY_OUTPUT_DIR: join(root, 'output'),
      SLIPWAY_STATUS_DIR: join(root, 'status'),
      SLIPWAY_TERMINATION_LOG: join(root, 'termination-log'),
      ...parameters,
    },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  return { child, exited: once(child, 'exit') };
};

it('refuses a bad parameter with exit 64 and one sentence, on stderr and in the termination message', {
  timeout: 30_000,
}, async () => {
  const { child, exited } = start({ SLIPWAY_PARAM_EPOCHS: 'many' });
  const sentence = 'Parameter epochs is "many" but must be a whole number from 1 to 1000.';
  expect(await text(child.stderr)).toBe(`${sentence}\n`);
  expect(await exited).toEqual([64, null]);
  expect(decodeReport(await readFile(join(root, 'termination-log'), 'utf8'))).toMatchObject({
    reason: 'ConfigurationInvalid',
    message: sentence,
  });
});

it('trains from the environment alone and leaves the whole output', { timeout: 60_000 }, async () => {
  const { exited } = start({
    SLIPWAY_PARAM_EPOCHS: '1',
    SLIPWAY_PARAM_ROWS: '1000',
    SLIPWAY_PARAM_EVALUATIONROWS: '500',
  });
  expect(await exited).toEqual([0, null]);
  const files = await readdir(join(root, 'output'), { recursive: true });
  expect(files.sort()).toEqual([
    'baseline.json',
    'golden.jsonl',
    'metrics.json',
    'model',
    'model/card.md',
    'model/model.onnx',
    'model/signature.json',
    'predictions.jsonl',
  ]);
});

it('ends at once on SIGTERM in the middle of training', { timeout: 60_000 }, async () => {
  const { child, exited } = start({ SLIPWAY_PARAM_EPOCHS: '1000' });
  for (let tries = 0; tries < 1000 && !existsSync(join(root, 'status', 'progress.json')); tries++) await delay(20);
  const asked = Date.now();
  child.kill('SIGTERM');
  expect(await exited).toEqual([143, null]);
  expect(Date.now() - asked).toBeLessThan(2000);
  expect(existsSync(join(root, 'output'))).toBe(false);
});

it('keeps its last step on SIGTERM, and the next attempt goes on from there', { timeout: 60_000 }, async () => {
  const checkpoints = join(root, 'checkpoints');
  const parameters = {
    SLIPWAY_PARAM_EPOCHS: '1000',
    SLIPWAY_PARAM_ROWS: '1000',
    SLIPWAY_PARAM_CHECKPOINTEVERY: '0',
    SLIPWAY_CHECKPOINT_DIR: checkpoints,
    SLIPWAY_RESUME_FROM: join(checkpoints, 'latest'),
  };
  const first = start(parameters);
  for (let tries = 0; tries < 1000 && !existsSync(join(root, 'status', 'progress.json')); tries++) await delay(20);
  first.child.kill('SIGTERM');
  expect(await first.exited).toEqual([143, null]);
  const [step = ''] = await readdir(checkpoints);
  expect(existsSync(join(checkpoints, step, '_COMPLETE'))).toBe(true);
  await symlink(step, join(checkpoints, 'latest'));
  await rm(join(root, 'status'), { recursive: true });
  const second = start(parameters);
  for (let tries = 0; tries < 1000 && !existsSync(join(root, 'status', 'progress.json')); tries++) await delay(20);
  second.child.kill('SIGTERM');
  await second.exited;
  const reached = (await readdir(checkpoints)).filter((name) => name !== 'latest').map(Number);
  expect(Math.max(...reached)).toBeGreaterThan(Number(step));
  expect(JSON.parse(await readFile(join(root, 'status', 'progress.json'), 'utf8')).step).toBeGreaterThan(Number(step));
});

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
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

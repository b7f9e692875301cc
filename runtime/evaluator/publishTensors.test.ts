import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { publishReportSchema } from '@slipway/crds/contract';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { encodeModel } from '../onnx/model.ts';
import { sumOf } from '../test/artifacts.ts';
import { publish } from './publish.ts';

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'publish-tensors-'));
  await mkdir(join(root, 'output', 'model'), { recursive: true });
  await mkdir(join(root, 'claims', 'models', 'team'), { recursive: true });
});
afterEach(() => rm(root, { recursive: true, force: true }));

async function publishInputs(count: number): Promise<unknown> {
  await writeFile(join(root, 'output', 'model', 'model.onnx'), encodeModel(sumOf(count)));
  return publish({
    outputDir: join(root, 'output'),
    inputDir: join(root, 'input'),
    store: { uri: 'pvc://models/team' },
    modelName: 'wide',
    context: { now: Date.now, say: () => undefined, claims: join(root, 'claims') },
  });
}

test('a model of 64 named inputs is published', async () => {
  expect(publishReportSchema.safeParse(await publishInputs(64)).success).toBe(true);
});

test('one of more than a version can tell of is refused, and told how to have as many columns', async () => {
  await expect(publishInputs(65)).rejects.toMatchObject({
    reason: 'SignatureInvalid',
    message: expect.stringMatching(
      /has 65 inputs and 1 outputs, and a version has at most 64 of each: join those of one/,
    ),
  });
});

import { mkdir, mkdtemp, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { encodeModel } from '../onnx/model.ts';
import { affine } from '../test/artifacts.ts';
import { publish } from './publish.ts';

let root: string;
const output = () => join(root, 'output');
const claims = () => join(root, 'claims');
const keys = () => join(root, 'keys');

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'publish-links-'));
  for (const folder of [join(output(), 'model'), join(claims(), 'models'), keys()]) {
    await mkdir(folder, { recursive: true });
  }
  await writeFile(join(output(), 'model', 'model.onnx'), encodeModel(affine));
  await writeFile(join(output(), 'metrics.json'), '');
  await writeFile(join(keys(), 'cosign.key'), '{"key": "secret"}');
  await writeFile(join(keys(), 'model.onnx'), encodeModel(affine));
});
afterEach(() => rm(root, { recursive: true, force: true }));

const published = () =>
  publish({
    outputDir: output(),
    inputDir: join(root, 'input'),
    store: { uri: 'pvc://models' },
    modelName: 'flights',
    context: { now: () => Date.now(), say: () => undefined, claims: claims() },
  });

it.each([
  ['metrics.json', 'cosign.key'],
  ['predictions.jsonl', 'cosign.key'],
  ['golden.jsonl', 'cosign.key'],
  ['baseline.json', 'cosign.key'],
  ['model', ''],
  ['evaluation', ''],
])('a link from %s to a Secret of the publisher publishes nothing of it', async (name, secret) => {
  await rm(join(output(), name), { recursive: true, force: true });
  await symlink(join(keys(), secret), join(output(), name));
  await expect(published()).rejects.toMatchObject({
    reason: 'OutputInvalid',
    message: `${name} is a link that leads out of the output; copy what it leads to instead.`,
  });
  expect(await readdir(join(claims(), 'models'))).toEqual([]);
});

it('a link to another file of the output is that file', async () => {
  await symlink('metrics.json', join(output(), 'golden.jsonl'));
  const { uri } = await published();
  expect(await readdir(join(claims(), uri.replace('pvc://', '')))).toContain('golden.jsonl');
});

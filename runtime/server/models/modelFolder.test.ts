import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { temporaryFolder } from '../../test/temporaryFolder.ts';
import { compareVersions, findModels } from './modelFolder.ts';

async function folderWith(...files: readonly string[]): Promise<string> {
  const root = await temporaryFolder('models');
  for (const file of files) {
    await mkdir(dirname(join(root, file)), { recursive: true });
    await writeFile(join(root, file), '');
  }
  return root;
}

const found = async (root: string) =>
  (await findModels(root)).map(({ name, version, path, bare }) => [name, version, path.slice(root.length + 1), bare]);

test('finds every layout in one folder, oldest version first', async () => {
  const root = await folderWith(
    'mlp.onnx',
    'flights/model.onnx',
    'flights/baseline.json',
    'cnn/9/model.onnx',
    'cnn/10/model.onnx',
    'cnn/config.pbtxt',
    'text/v1.10/model.onnx',
    'text/v1.9/model.onnx',
    '.git/1/model.onnx',
    'notes/readme.txt',
  );
  expect(await found(root)).toEqual([
    ['cnn', '9', 'cnn/9', false],
    ['cnn', '10', 'cnn/10', false],
    ['flights', '1', 'flights', false],
    ['mlp', '1', 'mlp.onnx', true],
    ['text', 'v1.9', 'text/v1.9', false],
    ['text', 'v1.10', 'text/v1.10', false],
  ]);
});

test('a model directory is one model, called like its folder, and what stands in it is no other', async () => {
  const root = await folderWith('model.onnx', 'preprocess.onnx', 'evaluation/metrics.json');
  expect(await findModels(root)).toEqual([{ name: basename(root), version: '1', path: root, bare: false }]);
  expect(await findModels(join(root, 'model.onnx'))).toEqual(await findModels(root));
});

test('a mount point names no model', async () => {
  const root = await folderWith('models/model.onnx');
  expect(await findModels(join(root, 'models'))).toMatchObject([{ name: 'model' }]);
});

test('a file is a model', async () => {
  const root = await folderWith('a.onnx', 'b.onnx');
  expect(await findModels(join(root, 'b.onnx'))).toMatchObject([{ name: 'b', bare: true }]);
});

test.each([
  ['nothing at all', async () => '/no/such/place', /^There is nothing at \/no\/such\/place; name a folder of models/],
  ['no model', () => folderWith('readme.md'), /^There is no model in .*: put model\.onnx, <name>\.onnx, /],
  ['one name twice', () => folderWith('a.onnx', 'a/model.onnx'), /^Two models are called "a": .*; rename one\.$/],
])('%s is said in a sentence', async (_what, folder, sentence) => {
  await expect(findModels(await folder())).rejects.toThrow(sentence);
});

test('a link that leads to itself counts as a model, to be refused by name when it is read', async () => {
  const root = await folderWith();
  await symlink('model.onnx', join(root, 'model.onnx'));
  expect(await findModels(root)).toHaveLength(1);
});

test('versions are ordered by their numbers', () => {
  expect(['10', '9', '1.10.0', '1.9.3', 'v2', 'v10'].sort(compareVersions)).toEqual([
    '1.9.3',
    '1.10.0',
    '9',
    '10',
    'v2',
    'v10',
  ]);
});

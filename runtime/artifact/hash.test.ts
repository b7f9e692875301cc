import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, expect, test } from 'vitest';
import { temporaryFolder } from '../test/temporaryFolder.ts';
import { Failure } from './failure.ts';
import { hashArtifact } from './hash.ts';

let root: string;
beforeEach(async () => {
  root = await temporaryFolder('artifact');
  await writeFile(join(root, 'model.onnx'), 'weights');
  await mkdir(join(root, 'evaluation'));
  await writeFile(join(root, 'evaluation', 'predictions.jsonl'), '{}\n');
});

const reasonOf = (path: string) =>
  hashArtifact(path).then(
    () => 'accepted',
    (error: unknown) => (error instanceof Failure ? error.reason : error),
  );

test('the digest covers every file, also in folders, and says how much it read', async () => {
  const { digest, files, bytes, entries } = await hashArtifact(root);
  // As sha256sum computes it from the same list.
  expect(digest).toBe('sha256:04220600b53db8bdc81347d71d0c57183c9282e02bf4cdec3d5b1b7d884e5462');
  expect({ files, bytes }).toEqual({ files: 2, bytes: 10 });
  expect(entries.map((e) => e.path)).toEqual(['evaluation/predictions.jsonl', 'model.onnx']);
});

test('one changed byte changes the digest', async () => {
  const before = await hashArtifact(root);
  await writeFile(join(root, 'model.onnx'), 'Weights');
  expect((await hashArtifact(root)).digest).not.toBe(before.digest);
});

test('the manifest of the root is not part of the digest, one in a folder is', async () => {
  const before = await hashArtifact(root);
  await writeFile(join(root, 'manifest.json'), '{}');
  expect(await hashArtifact(root)).toEqual(before);
  await writeFile(join(root, 'evaluation', 'manifest.json'), '{}');
  expect((await hashArtifact(root)).files).toBe(3);
});

test('a link to a file inside counts as the file', async () => {
  await symlink('model.onnx', join(root, 'latest.onnx'));
  const { entries } = await hashArtifact(root);
  expect(entries.find((e) => e.path === 'latest.onnx')?.sha256).toBe(
    entries.find((e) => e.path === 'model.onnx')?.sha256,
  );
});

test.each([
  ['a file outside', '/etc/hostname'],
  ['a folder', 'evaluation'],
  ['nothing', 'gone'],
])('a link to %s is refused', async (_what, target) => {
  await symlink(target, join(root, 'sneaky'));
  expect(await reasonOf(root)).toBe('OutputInvalid');
});

test('a folder that is not there is named', async () => {
  expect(await reasonOf(join(root, 'nope'))).toBe('ArtifactMissing');
});

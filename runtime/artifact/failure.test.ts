import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { terminationSchema } from '@slipway/crds/contract';
import { expect, test } from 'vitest';
import { Failure, sentenceOf, writeTermination } from './failure.ts';

test('the termination message is the document of the contract, cut to its limit', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'termination-'));
  const path = join(folder, 'log');
  await writeTermination(path, new Failure('DigestMismatch', 'x'.repeat(5000)));
  const written = terminationSchema.parse(JSON.parse(await readFile(path, 'utf8')));
  expect(written.reason).toBe('DigestMismatch');
  expect(written.message).toHaveLength(2048);
  await rm(folder, { recursive: true });
});

test('a path that cannot be written does not hide the failure', async () => {
  await expect(writeTermination('/no/such/folder/log', new Failure('ModelMissing', 'gone'))).resolves.toBeUndefined();
});

test('what was thrown reads as one line', () => {
  expect(sentenceOf(new Error('first\n  second'))).toBe('first second');
  expect(sentenceOf('plain')).toBe('plain');
});

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { terminationSchema } from '@slipway/crds/contract';
import { expect, test } from 'vitest';
import { temporaryFolder } from '../test/temporaryFolder.ts';
import { Failure, sentenceOf, writeTermination } from './failure.ts';

test('the termination message is the document of the contract, cut to its limit', async () => {
  const folder = await temporaryFolder('termination');
  const path = join(folder, 'log');
  await writeTermination(path, new Failure('DigestMismatch', 'x'.repeat(5000)));
  const written = terminationSchema.parse(JSON.parse(await readFile(path, 'utf8')));
  expect(written.reason).toBe('DigestMismatch');
  expect(written.message).toHaveLength(2048);
});

test.each([
  ['Japanese', '語'],
  ['quotes', '"'],
  ['control characters', '\u0001'],
  ['half of a pair', '\ud83d\ude80'],
])('a message of %s is cut until the kubelet keeps the whole document', async (_what, letter) => {
  const path = join(await temporaryFolder('termination'), 'log');
  await writeTermination(path, new Failure('DigestMismatch', letter.repeat(3000)));
  const text = await readFile(path, 'utf8');
  expect(Buffer.byteLength(text)).toBeLessThanOrEqual(4096);
  const { reason, message } = terminationSchema.parse(JSON.parse(text));
  expect(reason).toBe('DigestMismatch');
  expect(message.length).toBeGreaterThan(500);
});

test('a path that cannot be written does not hide the failure', async () => {
  await expect(writeTermination('/no/such/folder/log', new Failure('ModelMissing', 'gone'))).resolves.toBeUndefined();
});

test('what was thrown reads as one line', () => {
  expect(sentenceOf(new Error('first\n  second'))).toBe('first second');
  expect(sentenceOf('plain')).toBe('plain');
});

import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { temporaryFolder } from '../../test/temporaryFolder.ts';
import { hashKey, hashOf, hashOfInputs } from './keyedHash.ts';

async function keyFile(key: string): Promise<string> {
  const file = join(await temporaryFolder('hash-key'), 'key');
  await writeFile(file, key);
  return file;
}

const row = (...values: number[]) => ({
  name: 'x',
  datatype: 'FP32' as const,
  shape: [values.length / 2, 2],
  elements: Float32Array.from(values),
});

test('a key from a file gives all pods the same hashes, and another key others', async () => {
  const [one, other] = [await keyFile('k'.repeat(32)), await keyFile('l'.repeat(32))];
  expect(hashOf(hashKey(one), '500')).toMatch(/^[0-9a-f]{16}$/);
  expect(hashOf(hashKey(one), '500')).toBe(hashOf(hashKey(one), '500'));
  expect(hashOf(hashKey(one), '500')).not.toBe(hashOf(hashKey(other), '500'));
});

test('without a file nobody can test guesses: each process has a key of its own', () => {
  expect(hashOf(hashKey(undefined), '500')).not.toBe(hashOf(hashKey(undefined), '500'));
});

test('a key that is short enough to guess is refused', async () => {
  const file = await keyFile('short');
  expect(() => hashKey(file)).toThrow(`logging.hashKeyFile ${file} must hold at least 32 bytes.`);
});

test('a row has its hash wherever it stands', () => {
  const key = hashKey(undefined);
  expect(hashOfInputs(key, [row(1, 2, 3, 4)], 1, 2)).toBe(hashOfInputs(key, [row(3, 4)], 0, 1));
  expect(hashOfInputs(key, [row(1, 2, 3, 4)], 0, 2)).not.toBe(hashOfInputs(key, [row(3, 4)], 0, 1));
});

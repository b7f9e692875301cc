import { Readable } from 'node:stream';
import { expect, test } from 'vitest';
import { limitedText } from './limitedText.ts';
import { failureOf } from './testing/ground.ts';

test('a text is taken whole up to its limit, and no further', async () => {
  const stream = () => Readable.from([Buffer.from('äb'), Buffer.from('cd')]);
  expect(await limitedText(stream(), 'it', 5)).toBe('äbcd');
  expect(await failureOf(limitedText(stream(), 'manifest.json of s3://a/b', 4))).toEqual({
    reason: 'ArtifactOversized',
    message: 'manifest.json of s3://a/b is longer than 4 bytes, and no list of files is.',
  });
});

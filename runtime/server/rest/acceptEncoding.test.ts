import { expect, test } from 'vitest';
import { packingFor } from './acceptEncoding.ts';

test.each([
  [undefined, undefined],
  ['', undefined],
  ['identity', undefined],
  ['br', undefined],
  ['gzip', 'gzip'],
  ['GZIP', 'gzip'],
  ['x-gzip', 'gzip'],
  ['deflate', 'deflate'],
  ['gzip, deflate, br, zstd', 'zstd'],
  ['gzip, deflate', 'gzip'],
  ['deflate;q=0.9, gzip;q=0.5', 'deflate'],
  ['gzip;q=0', undefined],
  ['gzip;q=0, *', 'zstd'],
  ['*', 'zstd'],
  ['*;q=0', undefined],
  ['*;q=0.5, zstd;q=0', 'gzip'],
  ['identity, gzip;q=0.5', undefined],
  ['identity;q=0.5, gzip', 'gzip'],
  ['gzip ; q=0.8 ; x=1 , zstd; q=0.7', 'gzip'],
  ['gzip;q=many', undefined],
  [',;=,', undefined],
])('%o is best served by %o', (header, packing) => {
  expect(packingFor(header)).toBe(packing);
});

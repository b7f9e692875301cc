import fc from 'fast-check';
import { expect, test } from 'vitest';
import { RequestError } from '../requestError.ts';
import { packingFor } from './acceptEncoding.ts';
import { encodingOf, unpacked } from './contentEncoding.ts';
import { routeOf } from './routes.ts';

/** Text near what is meant: pieces of it between any other text. */
const nearly = (...pieces: readonly string[]) =>
  fc
    .array(fc.oneof(fc.constantFrom(...pieces), fc.string({ unit: 'binary', maxLength: 5 })), { maxLength: 12 })
    .map((parts) => parts.join(''));

test('any target has a route or none', () => {
  const targets = nearly(
    '/',
    'v2',
    'v1',
    'models',
    'versions',
    'infer',
    'repository',
    '%2f',
    '%',
    '..',
    '?',
    'http://',
    ':predict',
  );
  fc.assert(
    fc.property(targets, (target) => {
      const route = routeOf(target);
      if (route?.name === 'infer') expect(route.model).not.toBe('');
    }),
    { numRuns: 2000 },
  );
});

test('a route finds back the model and version that were escaped into it', () => {
  const name = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 20 });
  fc.assert(
    fc.property(name, name, (model, version) => {
      const target = `/v2/models/${encodeURIComponent(model)}/versions/${encodeURIComponent(version)}/infer`;
      expect(routeOf(target)).toMatchObject({ name: 'infer', model, version });
    }),
  );
});

test('any Accept-Encoding names a packing or none, and never one that it forbids', () => {
  const headers = nearly('gzip', 'zstd', 'deflate', '*', 'identity', ';q=', '0', '1', '0.5', ',', ' ', ';');
  fc.assert(
    fc.property(headers, (header) => {
      expect(packingFor(`${header}, zstd;q=0, gzip;q=0, deflate;q=0`)).not.toBe('zstd');
      expect([undefined, 'zstd', 'gzip', 'deflate']).toContain(packingFor(header));
    }),
    { numRuns: 2000 },
  );
});

test('any body under any encoding unpacks within the limit or is refused', async () => {
  const encodings = fc.constantFrom('gzip', 'deflate', 'zstd', 'x-gzip');
  await fc.assert(
    fc.asyncProperty(encodings, fc.uint8Array({ maxLength: 300 }), async (name, bytes) => {
      const encoding = encodingOf(name);
      if (!encoding) throw new Error(`${name} is one of ours`);
      const result = await unpacked(Buffer.from(bytes), encoding, 1000).catch((error: unknown) => error);
      if (result instanceof RequestError) expect([400, 413]).toContain(result.status);
      else expect((result as Buffer).length).toBeLessThanOrEqual(1000);
    }),
  );
});

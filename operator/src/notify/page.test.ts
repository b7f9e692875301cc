import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { inferenceServiceSpecSchema } from '@slipway/crds';
import { expect, test } from 'vitest';
import { parse } from 'yaml';

const DOCS = join(import.meta.dirname, '..', '..', '..', 'docs');
const piecesOf = (page: string) =>
  [...readFileSync(join(DOCS, page), 'utf8').matchAll(/^```yaml\n(.*?)^```/gms)].map(([, text = '']) => text);
const pieces = ['approvals.md', 'notifications.md'].flatMap((page) =>
  piecesOf(page).map((text) => [page, text] as const),
);

test('the pages have a piece for each field', () => expect(pieces).toHaveLength(4));

test.each(pieces)('docs/%s shows what the API takes:\n%s', (_, text) => {
  const spec = { model: { name: 'flights', version: '1.0.0' }, ...(parse(text) as object) };
  // A field that the API does not know is dropped, and then missing.
  expect(inferenceServiceSpecSchema.parse(spec)).toMatchObject(spec);
});

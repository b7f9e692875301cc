import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { inferenceServiceSpecSchema } from '@slipway/crds';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';

const ROOT = join(import.meta.dirname, '..', '..', '..');
const page = readFileSync(join(ROOT, 'docs', 'traffic.md'), 'utf8');
const pieces = [...page.matchAll(/^```yaml\n(.*?)^```/gms)].map(([, text = '']) => text);

describe('docs/traffic.md', () => {
  test('has a piece for each way', () => expect(pieces).toHaveLength(4));

  test.each(pieces)('shows what the API takes:\n%s', (text) => {
    const spec = { model: { name: 'flights', version: '1.0.0' }, ...(parse(text) as object) };
    // A field that the API does not know is dropped, and then missing.
    expect(inferenceServiceSpecSchema.parse(spec)).toMatchObject(spec);
  });

  test('names every reason that a provider can give, and no other', () => {
    const sources = readdirSync(import.meta.dirname).filter((name) => /^[a-zA-Z]+\.ts$/.test(name));
    const code = sources.map((name) => readFileSync(join(import.meta.dirname, name), 'utf8')).join('\n');
    const given = [...code.matchAll(/(?:refused\(\s*|reason: )'([A-Z][A-Za-z]+)'/g)].map(([, reason]) => reason);
    const told = [...page.matchAll(/^\| ([A-Z][A-Za-z]+) \|/gm)].map(([, reason]) => reason);
    expect(new Set(told.filter((reason) => reason !== 'Reason'))).toEqual(new Set(given));
  });
});

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { inferenceServiceSpecSchema, modelVersionSpecSchema } from '@slipway/crds';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { KEEP_RULES } from './retention.ts';
import { STAGE_RULES } from './rules.ts';

const ROOT = join(import.meta.dirname, '..', '..', '..', '..');
const page = readFileSync(join(ROOT, 'docs', 'registry.md'), 'utf8');
const SCHEMAS: Readonly<Record<string, { parse: (spec: unknown) => unknown }>> = {
  ModelVersion: modelVersionSpecSchema,
  InferenceService: inferenceServiceSpecSchema,
};

test('docs/registry.md has each rule of the stages, in its words and order', () => {
  const rows = STAGE_RULES.map(({ name, stages, asks }) => `| ${name} | ${stages.join(', ')} | ${asks} |`);
  expect(page).toContain(`| Rule | For | Asks that |\n| --- | --- | --- |\n${rows.join('\n')}\n\n`);
});

test('docs/registry.md has each reason to keep files, in its words and order', () => {
  const rows = KEEP_RULES.map(({ name, keeps }) => `| ${name} | ${keeps} |`);
  expect(page).toContain(`| Rule | Keeps the files because |\n| --- | --- |\n${rows.join('\n')}\n\n`);
});

const pieces = [...page.matchAll(/^```yaml\n(.*?)^```/gms)].map(([, text = '']) => text);
test.each(pieces)('docs/registry.md shows what the API takes:\n%s', (text) => {
  const { kind, spec } = parse(text) as { kind: string; spec: object };
  // A field that the API does not know is dropped, and then missing.
  expect(SCHEMAS[kind]?.parse(spec)).toMatchObject(spec);
});

test('docs/registry.md shows what the commands print', () => {
  const tested = readFileSync(join(ROOT, 'operator', 'cli', 'registry', 'registry.test.ts'), 'utf8');
  const spoken = tested.replaceAll('\\`', '`').replaceAll(/^ {6}/gm, '');
  const printed = [...page.matchAll(/^\$ kubectl slipway (?:history|lineage) .*\n([\s\S]*?)^```/gm)].map(
    ([, text = '']) => text,
  );
  expect(printed).toHaveLength(2);
  for (const text of printed) expect(spoken).toContain(text.trimEnd());
});

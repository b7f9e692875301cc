import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { rolloutRulesDocument } from './document.ts';
import { RULES } from './rules.ts';

test('docs/rollout-rules.md is what the rules say', async () => {
  const file = new URL('../../../../docs/rollout-rules.md', import.meta.url);
  expect(await readFile(file, 'utf8')).toBe(rolloutRulesDocument());
});

test('each rule has a name of its own', () => {
  expect(new Set(RULES.map(({ name }) => name)).size).toBe(RULES.length);
});

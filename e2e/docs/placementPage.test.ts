import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { trainingJobSpecSchema } from '@slipway/crds';
import { repositoryRoot } from '@slipway/hack/local-cluster/paths.ts';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';

const read = (...path: string[]): string => readFileSync(join(repositoryRoot, ...path), 'utf8');
const page = read('docs', 'placement.md');
const scheduled = read('operator', 'src', 'controllers', 'placement', 'scheduler.integration.test.ts');

const examples = [...page.matchAll(/```yaml\n([\s\S]*?)```/g)].map(([, text = '']) => parse(text) as object);
const sentences = [...page.matchAll(/^> (.+)$/gm)].map(([, text = '']) => text);

describe('docs/placement.md', () => {
  test('shows manifests that are accepted', () => {
    expect(examples.length).toBeGreaterThan(3);
    const rest = { model: { name: 'flights' }, image: 'i', publish: { store: 'pvc://models' } };
    for (const example of examples)
      expect(trainingJobSpecSchema.safeParse({ ...rest, ...example }), JSON.stringify(example)).toMatchObject({
        success: true,
        data: example,
      });
  });

  test('tells nothing of nodes that the test with a real scheduler does not hold us to', () => {
    expect(sentences.length).toBeGreaterThan(2);
    for (const sentence of sentences) expect(scheduled).toContain(sentence);
  });
});

import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { repositoryRoot } from '@slipway/hack/local-cluster/paths.ts';
import { describe, expect, test } from 'vitest';

const page = readFileSync(join(repositoryRoot, 'docs', 'peers.md'), 'utf8');

/** Threads of a row, and the files that its last cell names. */
const rows = page
  .split('\n')
  .filter((line) => line.startsWith('| ') && !line.startsWith('| Thread') && !line.startsWith('| ---'))
  .map((line) => {
    const [, threads = '', , shown = ''] = line.split(/(?<!\\)\|/);
    const files = [...shown.matchAll(/`([^`]+\.(?:ts|yaml))`/g)].map(([, file = '']) => file);
    return { threads: [...threads.matchAll(/[\w-]*#\d+/g)].map(([id]) => id), text: threads.trim(), files };
  });

describe('the page on what users of other tools asked for', () => {
  test('has rows for every tool that we want to be better than', () => {
    const tools = [
      'kserve',
      'seldon',
      'argo-rollouts',
      'flagger',
      'knative',
      'kubeflow/trainer',
      'jobset',
      'kueue',
      'mlflow',
    ];
    for (const tool of tools) expect(page).toContain(`${tool}`);
    expect(rows.length).toBeGreaterThan(100);
  });

  test.each(rows.filter(({ files }) => files.length > 0))(
    '$text is cited by a test that is there',
    ({ threads, files }) => {
      const texts = files.map((file) => {
        const path = join(repositoryRoot, file);
        expect(existsSync(path), `${file} is gone`).toBe(true);
        return readFileSync(path, 'utf8');
      });
      // A manifest that must be refused is named after its fault, and tells of it.
      if (threads.length === 0 || files.every((file) => file.endsWith('.yaml'))) return;
      const numbers = threads.map((id) => id.slice(id.indexOf('#')));
      expect(numbers.some((number) => texts.some((text) => text.includes(number)))).toBe(true);
    },
  );
});

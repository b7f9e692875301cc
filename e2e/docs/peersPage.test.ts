import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { repositoryRoot } from '@slipway/hack/local-cluster/paths.ts';
import { describe, expect, test } from 'vitest';

const page = readFileSync(join(repositoryRoot, 'docs', 'peers.md'), 'utf8');

/** A file that a row names, and the title of its test: all parts between › and … stand in the file. */
interface Shown {
  readonly file: string;
  readonly title: readonly string[];
}

function shownBy(cell: string): Shown[] {
  const named = cell.matchAll(/`([^`]+\.(?:ts|yaml))`(?: › (.*?)(?=; (?:[a-z ]+: )?`|; there is|$))?/g);
  return [...named].map(([, file = '', title = '']) => ({
    file,
    title: title
      .split(/ › |…/)
      .map((part) => part.replaceAll('`', '').trim())
      .filter((part) => part !== ''),
  }));
}

/** Threads of a row, and what its last cell names. */
const rows = page
  .split('\n')
  .filter((line) => line.startsWith('| ') && !line.startsWith('| Thread') && !line.startsWith('| ---'))
  .map((line) => {
    const [, threads = '', , shown = ''] = line.split(/(?<!\\)\|/);
    return {
      threads: [...threads.matchAll(/[\w-]*#\d+/g)].map(([id]) => id),
      text: threads.trim(),
      shown: shownBy(shown.trim()),
    };
  });

const textOf = (file: string): string => {
  const path = join(repositoryRoot, file);
  expect(existsSync(path), `${file} is gone`).toBe(true);
  return readFileSync(path, 'utf8');
};

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

  test.each(rows.filter(({ shown }) => shown.length > 0))('$text is cited by a test that is there', (row) => {
    const texts = row.shown.map(({ file }) => textOf(file));
    // A manifest that must be refused is named after its fault, and tells of it.
    if (row.threads.length === 0 || row.shown.every(({ file }) => file.endsWith('.yaml'))) return;
    const numbers = row.threads.map((id) => id.slice(id.indexOf('#')));
    expect(numbers.some((number) => texts.some((text) => text.includes(number)))).toBe(true);
  });

  test.each(rows.flatMap(({ shown }) => shown).filter(({ file }) => file.endsWith('.ts')))(
    '$file has the test $title',
    ({ file, title }) => {
      expect(title).not.toEqual([]);
      const text = textOf(file);
      expect(title.filter((part) => !text.includes(part))).toEqual([]);
    },
  );

  test('names for each thread that is left to others what to do instead', () => {
    const left = rows.filter(({ shown }) => shown.length === 0);
    expect(left.every(({ threads }) => threads.length > 0)).toBe(true);
    expect(left.length).toBeLessThan(10);
  });
});

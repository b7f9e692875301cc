import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { inferenceServiceSpecSchema } from '@slipway/crds';
import { repositoryRoot } from '@slipway/hack/local-cluster/paths.ts';
import { parseCommand } from '@slipway/operator/cli/arguments.ts';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { blocksOf } from './page.ts';

const read = (...path: string[]): string => readFileSync(join(repositoryRoot, ...path), 'utf8');
const page = read('docs', 'first-rollout.md');
const shell = blocksOf(page).map(({ text }) => text);
const commands = shell
  .flatMap((text) => text.replace(/\\\n/g, ' ').split('\n'))
  .map((line) => line.replace(/ # .*/, ''));
const after = (start: string): string[] =>
  commands.filter((line) => line.trim().startsWith(start)).map((line) => line.trim().slice(start.length).trim());

describe('docs/first-rollout.md', () => {
  test('asks kubectl slipway for nothing that it does not know', () => {
    const asked = after('kubectl slipway ');
    expect(asked.length).toBeGreaterThan(8);
    for (const words of asked) expect(() => parseCommand(words.split(/\s+/)), words).not.toThrow();
  });

  test('names files that are there, each namespace before what lies in it', () => {
    const applied = after('kubectl apply ').flatMap((words) =>
      [...words.matchAll(/-f (\S+)/g)].map(([, file = '']) => file),
    );
    expect(applied.length).toBeGreaterThan(4);
    const kinds = applied.map((file) => (parse(read(file)) as { kind: string }).kind);
    expect(kinds[0]).toBe('Namespace');
    for (const [, file = ''] of page.matchAll(/\]\(([^)#]+)/g)) {
      expect(existsSync(join(repositoryRoot, 'docs', file)), file).toBe(true);
    }
  });

  test('leads to samples that can be applied as a folder: kubectl goes by the names of the files', () => {
    const folder = ['config', 'samples', 'flights'];
    const objects = readdirSync(join(repositoryRoot, ...folder))
      .sort()
      .map((file) => parse(read(...folder, file)) as { kind: string; metadata: { name: string; namespace?: string } });
    const [namespace, ...inIt] = objects;
    expect(namespace?.kind).toBe('Namespace');
    expect(new Set(inIt.map(({ metadata }) => metadata.namespace))).toEqual(new Set([namespace?.metadata.name]));
  });

  test('sets values that the chart has', () => {
    const values = parse(read('charts', 'slipway', 'values.yaml')) as Record<string, unknown>;
    const set = [...page.matchAll(/--set (\S+)=/g)].map(([, name = '']) => name);
    expect(set.length).toBeGreaterThan(5);
    for (const name of set) {
      const value = name
        .split('.')
        .reduce<unknown>((at, key) => (at as Record<string, unknown> | undefined)?.[key], values);
      expect(value, name).not.toBe(undefined);
    }
  });

  test('calls targets that make has', () => {
    const targets = after('make ').flatMap((words) => words.split(/\s+/));
    expect(targets.length).toBeGreaterThan(0);
    for (const target of targets) expect(read('Makefile')).toContain(`\n${target}: `);
  });

  test('counts the requests that a guard of the sample waits for', () => {
    const service = parse(read('config', 'samples', 'flights', 'inferenceservice.yaml')) as { spec: unknown };
    const { rollout } = inferenceServiceSpecSchema.parse(service.spec);
    expect(rollout.steps.map(({ weight }) => weight)).toEqual([5, 25, 50, 100]);
    expect(page).toContain('It goes from 5 to 25, 50 and 100%.');
    expect(rollout.guards?.[0]?.errors?.max).toBe('3%');
  });
});

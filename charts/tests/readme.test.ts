import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { parse } from 'yaml';

const chart = join(import.meta.dirname, '..', 'slipway');
const read = (name: string): string => readFileSync(join(chart, name), 'utf8');

/** Dotted paths of the values; what a user fills in freely is one value. */
const OPEN = ['resources', 'nodeSelector'];
const paths = (value: unknown, at: string): string[] =>
  typeof value !== 'object' || value === null || Array.isArray(value) || OPEN.includes(at)
    ? [at]
    : Object.entries(value).flatMap(([name, child]) => paths(child, at === '' ? name : `${at}.${name}`));

test('the README of the chart tells every value, and none that does not exist', () => {
  const told = [...read('README.md').matchAll(/^\| (`.*?`(?:, `.*?`)*) \|/gm)].flatMap(([, cell]) =>
    [...(cell ?? '').matchAll(/`(.*?)`/g)].map((match) => match[1]),
  );
  expect(told.sort()).toEqual(paths(parse(read('values.yaml')), '').sort());
});

import { describe, expect, test } from 'vitest';
import type { Node } from './generate/apiLint.ts';
import { nodes } from './generate/apiLint.ts';
import { toStructural } from './generate/structural.ts';
import { manifestSchema } from './kind.ts';
import { invalidCases, validCases } from './testing/cases.ts';
import { KINDS } from './v1alpha1/kinds.ts';

/** A map's key is written in brackets by the server; zod tells it from a field no more than JSON does. */
const dotted = (field: string): string => field.replace(/\[([a-z]+)\]/g, '.$1');

const path = (keys: readonly PropertyKey[]): string =>
  keys
    .map((key) => (typeof key === 'number' ? `[${key}]` : `.${String(key)}`))
    .join('')
    .slice(1);

describe('zod accepts what the API server accepts', () => {
  test.each(validCases())('$name', ({ kind, manifest }) => {
    expect(manifestSchema(kind).safeParse(manifest).error).toBeUndefined();
  });
});

/** What only the server can see: the object before the change, and duplicate keys of a map list. */
const serverOnly = ['Duplicate value'];

const isOffline = ({ after, refused }: ReturnType<typeof invalidCases>[number]): boolean =>
  after === undefined && !serverOnly.includes(refused.message);

describe('zod refuses what the API server refuses, at the same field', () => {
  test.each(invalidCases().filter(isOffline))('$name', ({ kind, manifest, refused }) => {
    const issues = manifestSchema(kind).safeParse(manifest).error?.issues ?? [];
    const messages = issues.map((issue) => (issue.code === 'custom' ? issue.message : 'by type'));
    const isOurs = sentences().includes(refused.message);
    expect(messages).toContain(isOurs ? refused.message : 'by type');
    if (refused.field !== undefined) expect(issues.map((issue) => path(issue.path))).toContain(dotted(refused.field));
  });
});

const validations = ({ schema }: Node) =>
  (schema['x-kubernetes-validations'] as readonly { readonly message: string }[] | undefined) ?? [];

const specNodes = () => KINDS.map((kind) => ({ kind, all: nodes(toStructural(kind.spec, 'spec'), 'spec') }));

/** Every message that one of our rules can answer with. */
const sentences = (): string[] => [
  ...KINDS.flatMap((kind) => kind.rules.map(({ message }) => message)),
  ...specNodes().flatMap(({ all }) => all.flatMap(validations).map(({ message }) => message)),
];

describe('crds/testdata/invalid leaves nothing out', () => {
  test.each(KINDS)('every rule of $kind has a case', (kind) => {
    const cases = invalidCases().filter((invalid) => invalid.kind === kind);
    const rules = specNodes()
      .filter((spec) => spec.kind === kind)
      .flatMap(({ all }) => all.flatMap(validations));
    const covered = cases.map(({ refused }) => refused.message);
    expect([...kind.rules, ...rules].map(({ message }) => message).filter((m) => !covered.includes(m))).toEqual([]);
  });

  test.each(KINDS)('every required field of $kind has a case', (kind) => {
    const cases = invalidCases().filter(
      (invalid) => invalid.kind === kind && invalid.refused.message === 'Required value',
    );
    const missing = cases.map(({ refused }) => refused.field?.replace(/\[\d+\]/g, '[]'));
    const required = specNodes()
      .filter((spec) => spec.kind === kind)
      .flatMap(({ all }) =>
        all.flatMap((node) => ((node.schema['required'] as string[]) ?? []).map((name) => `${node.path}.${name}`)),
      );
    expect(['spec', ...required].filter((field) => !missing.includes(field))).toEqual([]);
  });
});

/** Paths of every field that a manifest sets, lists without their indexes, and keys of maps as `{}` as well. */
function fieldsOf(value: unknown, at: string): string[] {
  if (Array.isArray(value)) return [at, ...value.flatMap((item) => fieldsOf(item, `${at}[]`))];
  if (typeof value !== 'object' || value === null) return [at];
  const below = Object.entries(value).map(([name, field]) => [field, `${at}.${name}`, `${at}{}`] as const);
  return [at, ...below.flatMap(([field, named, any]) => [...fieldsOf(field, named), ...fieldsOf(field, any)])];
}

test.each(KINDS)('the full cases of $kind set every field of its spec', (kind) => {
  const full = validCases().filter((valid) => valid.kind === kind && /\/full/.test(valid.name));
  const set = new Set(full.flatMap(({ manifest }) => fieldsOf(manifest.spec, 'spec')));
  const fields =
    specNodes()
      .find((spec) => spec.kind === kind)
      ?.all.filter(({ named }) => named) ?? [];
  expect(fields.map((field) => field.path).filter((field) => !set.has(field))).toEqual([]);
});

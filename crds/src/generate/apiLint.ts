import type { Schema } from './structural.ts';

/** One place in a schema: its path as a user would write it, and the schema found there. */
export interface Node {
  readonly path: string;
  readonly schema: Schema;
  /** A named field of an object, rather than an item of a list or the value of a map. */
  readonly named: boolean;
}

export interface Finding {
  readonly path: string;
  readonly rule: string;
}

const child = (value: unknown): Schema | undefined =>
  typeof value === 'object' && value !== null ? (value as Schema) : undefined;

/** Every schema below and including this one. */
export function nodes(schema: Schema, path: string, named = true): Node[] {
  const fields = Object.entries(child(schema['properties']) ?? {});
  const item = child(schema['items']);
  const value = child(schema['additionalProperties']);
  return [
    { path, schema, named },
    ...fields.flatMap(([name, field]) => nodes(field as Schema, path === '' ? name : `${path}.${name}`)),
    ...(item ? nodes(item, `${path}[]`, false) : []),
    ...(value ? nodes(value, `${path}{}`, false) : []),
  ];
}

/** Names of the evaluation literature and of the wire, which people look up as they are written there. */
const LOWER_CASE_ENUMS = [
  /^spec\.gates\[\]\.metric$/,
  /^spec\.rollout\.guards\[\]\.disagreement\.compare$/,
  /^spec\.notify\.events\[\]$/,
  /^status\.candidate\.guards\[\]\.kind$/,
];

const isBounded = ({ maxLength, enum: values, format }: Schema): boolean =>
  maxLength !== undefined || values !== undefined || format !== undefined;

const keysArePresent = ({ 'x-kubernetes-list-map-keys': keys = [], items }: Schema): boolean => {
  const { properties, required = [] } = (items ?? {}) as { properties?: Record<string, Schema>; required?: string[] };
  return (keys as string[]).every((key) => required.includes(key) || properties?.[key]?.['default'] !== undefined);
};

const isConditions = (path: string): boolean => path === 'status.conditions';

/** The rules of our API. Each says what is wrong; the ones of kube-api-linter that fit a zod source, and a few of ours. */
const RULES: readonly { readonly rule: string; readonly breaks: (node: Node) => boolean }[] = [
  { rule: 'has no description', breaks: ({ schema, named }) => named && !schema['description'] },
  { rule: 'has no type', breaks: ({ schema }) => !('type' in schema) && !('x-kubernetes-int-or-string' in schema) },
  { rule: 'is a float', breaks: ({ schema }) => schema['type'] === 'number' },
  { rule: 'is nullable', breaks: ({ schema }) => 'nullable' in schema },
  {
    rule: 'is a whole number of no stated width',
    breaks: ({ schema }) => schema['type'] === 'integer' && !schema['format'],
  },
  { rule: 'is an unbounded string', breaks: ({ schema }) => schema['type'] === 'string' && !isBounded(schema) },
  { rule: 'is an unbounded list', breaks: ({ schema }) => schema['type'] === 'array' && !schema['maxItems'] },
  {
    rule: 'is a list without list-type',
    breaks: ({ schema }) => schema['type'] === 'array' && !schema['x-kubernetes-list-type'],
  },
  {
    rule: 'is an unbounded map',
    breaks: ({ schema }) => 'additionalProperties' in schema && schema['maxProperties'] === undefined,
  },
  { rule: 'is a map list whose keys may be absent', breaks: ({ schema }) => !keysArePresent(schema) },
  {
    rule: 'has an enum value that is not PascalCase',
    breaks: ({ schema, path }) =>
      !LOWER_CASE_ENUMS.some((allowed) => allowed.test(path)) &&
      ((schema['enum'] as string[] | undefined) ?? []).some((value) => !/^[A-Z][A-Za-z0-9]*$/.test(value)),
  },
  {
    rule: 'has a rule whose message is not one line',
    breaks: ({ schema }) =>
      ((schema['x-kubernetes-validations'] as { message: string }[] | undefined) ?? []).some(
        ({ message }) => message === '' || message.includes('\n'),
      ),
  },
  {
    rule: 'is not a map list by type with room for eight conditions',
    breaks: ({ schema, path }) =>
      isConditions(path) &&
      (String(schema['x-kubernetes-list-map-keys']) !== 'type' || Number(schema['maxItems'] ?? 0) < 8),
  },
];

const ROOT = ['apiVersion', 'kind', 'metadata'];

/** Lints the root schema of a CRD. An empty answer is a clean API. */
export function lint(root: Schema): Finding[] {
  const all = nodes(root, '').filter(({ path }) => path !== '' && !ROOT.includes(path));
  const found = all.flatMap((node) =>
    RULES.filter(({ breaks }) => breaks(node)).map(({ rule }) => ({ path: node.path, rule })),
  );
  const missing = ['status.observedGeneration', 'status.conditions'].filter(
    (path) => !all.some((n) => n.path === path),
  );
  return [...found, ...missing.map((path) => ({ path, rule: 'is missing' }))];
}

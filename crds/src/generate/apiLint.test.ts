import { describe, expect, test } from 'vitest';
import * as z from 'zod';
import { KINDS } from '../v1alpha1/kinds.ts';
import { lint } from './apiLint.ts';
import { crd } from './crd.ts';
import { type Schema, toStructural } from './structural.ts';

const rootOf = (kind: (typeof KINDS)[number]): Schema => {
  const [version] = crd(kind).spec.versions;
  if (version === undefined) throw new Error('a CRD without a version');
  return version.schema.openAPIV3Schema;
};

describe('the API keeps its own rules', () => {
  test.each(KINDS)('$kind', (kind) => {
    expect(lint(rootOf(kind))).toEqual([]);
  });
});

describe('lint finds', () => {
  const STATUS = { observedGeneration: { type: 'integer', format: 'int64', description: 'x' } };
  const conditions = {
    type: 'array',
    description: 'x',
    maxItems: 8,
    'x-kubernetes-list-type': 'map',
    'x-kubernetes-list-map-keys': ['type'],
    items: {
      type: 'object',
      required: ['type'],
      properties: { type: { type: 'string', maxLength: 9, description: 'x' } },
    },
  };
  const root = (spec: Schema, status: Schema = { ...STATUS, conditions }): Schema => ({
    properties: {
      spec: { type: 'object', description: 'x', properties: spec },
      status: { type: 'object', description: 'x', properties: status },
    },
  });
  const field = (schema: Schema) => root({ field: { description: 'x', ...schema } });

  test.each<[string, Schema, string, string]>([
    ['a field nobody described', root({ field: { type: 'boolean' } }), 'spec.field', 'has no description'],
    ['a float', field({ type: 'number' }), 'spec.field', 'is a float'],
    ['a null', field({ type: 'boolean', nullable: true }), 'spec.field', 'is nullable'],
    ['an integer of any width', field({ type: 'integer' }), 'spec.field', 'is a whole number of no stated width'],
    ['a string of any length', field({ type: 'string' }), 'spec.field', 'is an unbounded string'],
    ['a node of no type', field({}), 'spec.field', 'has no type'],
    [
      'a map of any size',
      field({ type: 'object', additionalProperties: { type: 'boolean' } }),
      'spec.field',
      'is an unbounded map',
    ],
    [
      'a list of any length',
      field({ type: 'array', 'x-kubernetes-list-type': 'atomic', items: { type: 'boolean' } }),
      'spec.field',
      'is an unbounded list',
    ],
    [
      'a list that merges in an unknown way',
      field({ type: 'array', maxItems: 1, items: { type: 'boolean' } }),
      'spec.field',
      'is a list without list-type',
    ],
    [
      'a map list with optional keys',
      field({ ...conditions, items: { type: 'object', properties: {} } }),
      'spec.field',
      'is a map list whose keys may be absent',
    ],
    [
      'an enum in lower case',
      field({ type: 'string', enum: ['on'] }),
      'spec.field',
      'has an enum value that is not PascalCase',
    ],
    [
      'a message of two lines',
      field({ type: 'boolean', 'x-kubernetes-validations': [{ rule: 'self', message: 'a\nb' }] }),
      'spec.field',
      'has a rule whose message is not one line',
    ],
    ['a status that never says what it saw', root({}, { conditions }), 'status.observedGeneration', 'is missing'],
    [
      'conditions that merge as a whole',
      root({}, { ...STATUS, conditions: { ...conditions, 'x-kubernetes-list-map-keys': [] } }),
      'status.conditions',
      'is not a map list by type with room for eight conditions',
    ],
  ])('%s', (_, schema, path, rule) => {
    expect(lint(schema)).toEqual([{ path, rule }]);
  });

  test('the same through zod', () => {
    const spec = toStructural(z.object({ field: z.array(z.string()) }), 'spec');
    expect(lint(root(spec['properties'] as Schema)).map(({ rule }) => rule)).toContain('is an unbounded list');
  });
});

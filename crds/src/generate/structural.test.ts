import { describe, expect, test } from 'vitest';
import * as z from 'zod';
import { cel } from '../common/cel.ts';
import { mapList } from '../common/fields.ts';
import { NotStructural, toStructural } from './structural.ts';

describe('a zod type that no CRD can carry is refused with its path', () => {
  const tree: z.ZodType = z.lazy(() => z.object({ leaf: tree.optional() }));
  test.each<[string, z.ZodType, string]>([
    ['a union', z.union([z.string(), z.boolean()]), 'spec.field: a union'],
    ['a nullable', z.string().nullable(), 'spec.field: nullable'],
    ['an unknown', z.unknown(), 'spec.field: no type'],
    ['a pattern', z.string().regex(/a/), 'spec.field: a pattern'],
    ['a float', z.number(), 'spec.field: a float'],
    ['a named type', z.string().meta({ id: 'Named' }), 'spec.field: a reference'],
    ['an unknown keyword', z.string().meta({ examples: ['a'] }), 'spec.field: the keyword examples'],
    ['an unknown format', z.string().meta({ format: 'cron' }), 'spec.field: the API server ignores format cron'],
    [
      'an int-or-string of other types',
      z.union([z.boolean(), z.string()]).meta({ 'x-kubernetes-int-or-string': true }),
      'spec.field: int-or-string',
    ],
  ])('%s', (_, type, message) => {
    const convert = () => toStructural(z.object({ field: type }), 'spec');
    expect(convert).toThrow(NotStructural);
    expect(convert).toThrow(message);
  });
  test('a recursion', () => {
    expect(() => toStructural(tree)).toThrow();
  });
  test('the path leads through lists and maps', () => {
    const type = z.object({ list: z.array(z.record(z.string(), z.number())) });
    expect(() => toStructural(type, 'spec')).toThrow('spec.list[]{}: a float');
  });
});

describe('what a CRD can carry is written as the server wants it', () => {
  test('fields with a default stay optional', () => {
    expect(toStructural(z.object({ a: z.boolean().default(true), b: z.boolean() }))).toEqual({
      type: 'object',
      required: ['b'],
      properties: { a: { default: true, type: 'boolean' }, b: { type: 'boolean' } },
    });
  });
  test('the bounds of a double are no limit that anybody chose', () => {
    expect(toStructural(z.int().min(1).meta({ format: 'int64' }))).toEqual({
      type: 'integer',
      format: 'int64',
      minimum: 1,
    });
  });
  test('int-or-string has the one form the server knows', () => {
    const type = z.union([z.int(), z.string()]).meta({ 'x-kubernetes-int-or-string': true });
    expect(toStructural(type)).toEqual({
      anyOf: [{ type: 'integer' }, { type: 'string' }],
      'x-kubernetes-int-or-string': true,
    });
  });
  test('strict objects leave strictness to the server', () => {
    expect(toStructural(z.strictObject({ a: z.boolean() }))).not.toHaveProperty('additionalProperties');
  });
  test('rules and list keys survive optional and describe', () => {
    const rule = { rule: 'self.size() > 0', message: 'too few', holds: (self: unknown[]) => self.length > 0 };
    const list = cel(mapList(z.object({ name: z.string() }), 3, 'name'), rule);
    expect(toStructural(list.optional().describe('Some.'))).toMatchObject({
      description: 'Some.',
      maxItems: 3,
      'x-kubernetes-list-map-keys': ['name'],
      'x-kubernetes-validations': [{ rule: 'self.size() > 0', message: 'too few' }],
    });
  });
  test('keys come in one order, whatever the order of the calls', () => {
    const a = z.string().max(3).describe('x').default('a');
    const b = z.string().describe('x').max(3).default('a');
    expect(JSON.stringify(toStructural(a))).toBe(JSON.stringify(toStructural(b)));
    expect(Object.keys(toStructural(a))).toEqual(['description', 'type', 'default', 'maxLength']);
  });
});

import * as z from 'zod';

export type Schema = Readonly<Record<string, unknown>>;

/** A zod type that no CRD can carry. The message starts with the path of the field. */
export class NotStructural extends Error {
  override readonly name = 'NotStructural';
}

const FORMATS: Readonly<Record<string, readonly string[]>> = {
  string: ['date-time', 'date', 'duration', 'uri', 'ipv4', 'ipv6', 'cidr', 'mac', 'uuid', 'byte', 'email', 'hostname'],
  integer: ['int32', 'int64'],
  number: ['float', 'double'],
};

/** Every keyword we emit, in the order we emit it, so that a diff shows what changed and nothing else. */
const KEYWORDS = [
  'description',
  'type',
  'format',
  'default',
  'enum',
  'minimum',
  'maximum',
  'minLength',
  'maxLength',
  'minItems',
  'maxItems',
  'maxProperties',
  'required',
  'properties',
  'additionalProperties',
  'items',
  'anyOf',
  'x-kubernetes-int-or-string',
  'x-kubernetes-list-map-keys',
  'x-kubernetes-list-type',
  'x-kubernetes-preserve-unknown-fields',
  'x-kubernetes-validations',
];

/** What zod writes that says nothing to the API server. `definitions` come with a $ref, which is refused where it stands. */
const NOISE = ['$schema', 'title', 'readOnly', 'id', 'definitions'];

const isSchema = (value: unknown): value is Schema =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const INT_OR_STRING = [{ type: 'integer' }, { type: 'string' }];

function intOrString({ anyOf, ...rest }: Schema, path: string): Schema {
  const types = Array.isArray(anyOf) ? anyOf.map((option: Schema) => option['type']) : [];
  if (types.join() !== 'integer,string')
    throw new NotStructural(`${path}: int-or-string must be a union of int and string`);
  return { ...rest, anyOf: INT_OR_STRING };
}

/** Refuses what the API server refuses, in words that name the zod construct to replace. */
const REFUSALS: readonly { readonly when: (schema: Schema) => boolean; readonly because: string }[] = [
  { when: (s) => '$ref' in s, because: 'a reference: drop .meta({ id }) and recursion, CRDs know no $ref' },
  { when: (s) => 'nullable' in s, because: 'nullable: leave the field out instead, null is pruned and then defaulted' },
  {
    when: (s) => ('anyOf' in s && !('x-kubernetes-int-or-string' in s)) || 'oneOf' in s,
    because: 'a union: use an object of optional fields and a cel() rule that asks for exactly one',
  },
  { when: (s) => 'allOf' in s, because: 'an intersection or several patterns: write one schema or a cel() rule' },
  { when: (s) => 'pattern' in s, because: 'a pattern: use cel(matches()), whose message says what to write instead' },
  {
    when: (s) => !('type' in s) && !('anyOf' in s) && !('x-kubernetes-preserve-unknown-fields' in s),
    because: 'no type: z.unknown() and z.any() need x-kubernetes-preserve-unknown-fields',
  },
  {
    when: (s) => s['type'] === 'number',
    because: 'a float: use decimal(), floats change when a client re-encodes them',
  },
  { when: (s) => 'uniqueItems' in s, because: 'uniqueItems: use mapList() or x-kubernetes-list-type: set' },
];

function refuse(schema: Schema, path: string): void {
  const refusal = REFUSALS.find(({ when }) => when(schema));
  if (refusal) throw new NotStructural(`${path}: ${refusal.because}`);
  const unknown = Object.keys(schema).find((key) => !KEYWORDS.includes(key) && !NOISE.includes(key));
  if (unknown) throw new NotStructural(`${path}: the keyword ${unknown} is unknown to CRDs`);
}

function checkFormat({ type, format }: Schema, path: string): void {
  if (format === undefined || FORMATS[String(type)]?.includes(String(format))) return;
  throw new NotStructural(`${path}: the API server ignores format ${String(format)} of a ${String(type)}`);
}

/** z.int() carries the bounds of a double's whole numbers: no limit that anybody chose. */
const chosenBound = (key: string, value: unknown): boolean =>
  !((key === 'minimum' || key === 'maximum') && Math.abs(Number(value)) >= Number.MAX_SAFE_INTEGER);

/** Strict and loose objects write additionalProperties beside properties, which exclude each other in a CRD. */
const besideProperties = (schema: Schema, key: string): boolean =>
  key === 'additionalProperties' && 'properties' in schema;

/** The server forgets it, and every kubectl apply would then change the CRD. */
const emptyProperties = (schema: Schema, key: string): boolean =>
  key === 'properties' && Object.keys(schema[key] as object).length === 0;

const field = (path: string, name: string): string => (path === '' ? name : `${path}.${name}`);

function children(key: string, value: unknown, path: string): unknown {
  if (!isSchema(value)) return value;
  if (key === 'items') return clean(value, `${path}[]`);
  if (key === 'additionalProperties') return clean(value, `${path}{}`);
  if (key !== 'properties') return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, child]) => [name, clean(child as Schema, field(path, name))]),
  );
}

function clean(raw: Schema, path: string): Schema {
  refuse(raw, path);
  checkFormat(raw, path);
  const schema = 'x-kubernetes-int-or-string' in raw ? intOrString(raw, path) : raw;
  const kept = KEYWORDS.filter(
    (key) =>
      key in schema && !besideProperties(schema, key) && !emptyProperties(schema, key) && chosenBound(key, schema[key]),
  );
  return Object.fromEntries(kept.map((key) => [key, children(key, schema[key], path)]));
}

/**
 * A zod type as the structural schema of a CRD. Objects accept what they name: the server prunes or, under
 * fieldValidation=Strict, refuses the rest. Throws NotStructural for everything the API server would not take.
 */
export const toStructural = (type: z.ZodType, path = ''): Schema =>
  clean(
    z.toJSONSchema(type, {
      target: 'openapi-3.0',
      io: 'input',
      cycles: 'throw',
      reused: 'inline',
      unrepresentable: 'throw',
    }) as Schema,
    path,
  );

import type { Schema } from '@slipway/crds/generate/structural.ts';

/** A field, from the root of its kind: names, and * for each item of a list or each value of a map. */
export type Path = readonly string[];

type Json = Readonly<Record<string, unknown>>;
const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const EACH = '*';

const within = (keyword: 'items' | 'additionalProperties', wanted: Schema, served: Schema, at: Path): Path[] => {
  const [inner, theirs] = [wanted[keyword], served[keyword]];
  return isObject(inner) && isObject(theirs) ? fieldsLacking(inner, theirs, [...at, EACH]) : [];
};

/** The fields of `wanted` that `served` does not have; of one that is missing whole, not what lies below. */
export function fieldsLacking(wanted: Schema, served: Schema, at: Path = []): Path[] {
  const theirs = isObject(served['properties']) ? served['properties'] : {};
  const own = Object.entries(isObject(wanted['properties']) ? wanted['properties'] : {}).flatMap(([name, schema]) => {
    const path = [...at, name];
    const there = theirs[name];
    return isObject(there) ? fieldsLacking(schema as Schema, there, path) : [path];
  });
  return [...own, ...within('items', wanted, served, at), ...within('additionalProperties', wanted, served, at)];
}

/** `value` without a field; the same object where it does not have it. */
export function without(value: unknown, [first, ...rest]: Path): unknown {
  if (first === undefined) return undefined;
  if (Array.isArray(value)) return first === EACH ? value.map((item) => without(item, rest)) : value;
  if (!isObject(value)) return value;
  const names = first === EACH ? Object.keys(value) : first in value ? [first] : [];
  return names.reduce<Json>((kept, name) => {
    const { [name]: inner, ...others } = kept;
    return rest.length === 0 ? others : { ...others, [name]: without(inner, rest) };
  }, value);
}

export const pathText = (path: Path): string => path.join('.').replaceAll(`.${EACH}`, '[]');

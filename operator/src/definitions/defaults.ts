import type { Schema } from '@slipway/crds/generate/structural.ts';

type Json = Readonly<Record<string, unknown>>;
/** What is missing in `value` filled in; the same object where nothing is. */
export type Fill = (value: unknown) => unknown;

const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function ofProperties(properties: Json): Fill | undefined {
  const fields = Object.entries(properties as Readonly<Record<string, Schema>>).flatMap(([name, schema]) => {
    const inner = defaultsOf(schema);
    const byDefault = schema['default'];
    return inner === undefined && byDefault === undefined ? [] : [{ name, inner, byDefault }];
  });
  if (fields.length === 0) return undefined;
  return (value) => {
    if (!isObject(value)) return value;
    let filled = value;
    for (const { name, inner, byDefault } of fields) {
      const before = value[name] ?? structuredClone(byDefault);
      const after = inner === undefined || before === undefined ? before : inner(before);
      if (after !== value[name]) filled = { ...filled, [name]: after };
    }
    return filled;
  };
}

const ofItems = (inner: Fill | undefined): Fill | undefined =>
  inner &&
  ((value) => {
    if (!Array.isArray(value)) return value;
    const filled = value.map(inner);
    return filled.some((item, i) => item !== value[i]) ? filled : value;
  });

/**
 * Fills in the defaults of a structural schema as the API server does: only where the object that holds the field is
 * there. undefined: the schema has none.
 */
export function defaultsOf({ properties, items }: Schema): Fill | undefined {
  if (isObject(properties)) return ofProperties(properties);
  return isObject(items) ? ofItems(defaultsOf(items)) : undefined;
}

import * as z from 'zod';

/** CEL for "this field is as it was". `self.?x == oldSelf.?x` would say it too, but the server can't bound its cost. */
const unchanged = ([name, field]: readonly [string, z.ZodType]): string =>
  field instanceof z.ZodOptional
    ? `has(self.${name}) == has(oldSelf.${name}) && (!has(self.${name}) || self.${name} == oldSelf.${name})`
    : `self.${name} == oldSelf.${name}`;

/** CEL for "everything but these fields is as it was". */
export const unchangedFields = (object: z.ZodObject, but: readonly string[]): string =>
  Object.entries(object.shape)
    .filter(([name]) => !but.includes(name))
    .map(([name, field]) => unchanged([name, field as z.ZodType]))
    .join(' && ');

type Loose<T> = { [K in keyof T]: T[K] | undefined };

/**
 * Drops the fields that are undefined, so that a renderer can write `field: maybe` on one line. An applied object must
 * not carry them: JSON would leave them out, and two equal objects would then compare unequal.
 */
export const compact = <T extends object>(fields: Loose<T>): T =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as T;

/**
 * Every text in a value as the API server keeps it. A text that is cut between the halves of a pair (of an emoji in the
 * last words of a trainer, say) comes back with U+FFFD in place of the half: it would differ from what was written at
 * each pass, which would write it again without end, and a record that is sealed by its hash would look forged.
 */
export function wellFormed<T>(value: T): T {
  if (typeof value === 'string') return value.toWellFormed() as T;
  if (Array.isArray(value)) return value.map(wellFormed) as T;
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, part]) => [key.toWellFormed(), wellFormed(part)])) as T;
}

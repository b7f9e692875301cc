import { createHash } from 'node:crypto';
import { canonicalJson } from '../domain/revision.ts';
import type { KubeObject } from '../kube/wire.ts';

const ANNOTATION = 'slipway.dev/applied';

/** Marks an object with the hash of itself, so that a later pass sees what it asked for, removals included. */
export function stamped<T extends KubeObject>(object: T): T {
  const hash = createHash('sha256').update(canonicalJson(object)).digest('hex').slice(0, 16);
  return {
    ...object,
    metadata: { ...object.metadata, annotations: { ...object.metadata.annotations, [ANNOTATION]: hash } },
  };
}

/** Whether every field of `wanted` stands in `found`. The server adds defaults; it takes nothing away. */
function covers(found: unknown, wanted: unknown): boolean {
  if (Array.isArray(wanted)) {
    return Array.isArray(found) && found.length === wanted.length && wanted.every((item, i) => covers(found[i], item));
  }
  if (typeof wanted !== 'object' || wanted === null) return found === wanted;
  if (typeof found !== 'object' || found === null) return false;
  return Object.entries(wanted).every(([key, value]) => covers((found as Record<string, unknown>)[key], value));
}

/**
 * Whether a stored object is what a stamped one asks for: nothing of it was changed by someone else, and it was applied
 * from this very rendering. A pass over an unchanged world then writes nothing.
 */
export const isAsApplied = (found: KubeObject | undefined, wanted: KubeObject): boolean =>
  found !== undefined && covers(found, wanted);

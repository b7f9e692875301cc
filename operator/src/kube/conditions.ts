import type { Condition } from '@slipway/crds';

const MAX_MESSAGE = 32768;
const FIRST = ['Ready', 'Reconciling', 'Stalled'];

export type Observation = Omit<Condition, 'observedGeneration' | 'lastTransitionTime'>;

/** RFC 3339 with whole seconds: what metav1.Time keeps, so that a value read back equals the one written. */
export const rfc3339 = (at: Date): string => `${at.toISOString().slice(0, 19)}Z`;

const rank = ({ type }: Condition): number => (FIRST.includes(type) ? FIRST.indexOf(type) : FIRST.length);
const byImportance = (a: Condition, b: Condition): number => rank(a) - rank(b) || (a.type < b.type ? -1 : 1);

/**
 * Merges what this pass observed into the conditions already stored. lastTransitionTime moves only when `status`
 * flips, so an unchanged world yields an equal array and the caller can skip the write.
 */
export function mergeConditions(
  stored: readonly Condition[],
  seen: readonly Observation[],
  generation: number,
  now: Date,
): Condition[] {
  const next = new Map(stored.map((c) => [c.type, c]));
  for (const o of seen) {
    const old = next.get(o.type);
    const since = old?.status === o.status ? old.lastTransitionTime : rfc3339(now);
    next.set(o.type, {
      ...o,
      // Half of a pair comes back from the server as another character, and would be written at each pass.
      message: o.message.slice(0, MAX_MESSAGE).toWellFormed(),
      observedGeneration: generation,
      lastTransitionTime: since,
    });
  }
  return [...next.values()].sort(byImportance);
}

import { PORTS } from '@slipway/crds/contract';
import { maySeeNothing, type Sight } from './sight.ts';

/** Of all that keeps pods from being read, what a person can mend. */
const REACH = `: is port ${PORTS.admin} of them open to the operator's namespace?`;

/** Fewer than half of the ready pods answer: what the others see may be all there is to see. */
export function unreadable({ world, candidate, seen }: Sight): string | undefined {
  const ready = world.revisions[candidate.revision]?.ready ?? 0;
  const answering = seen?.answering ?? 0;
  return answering === 0 || answering * 2 < ready
    ? `${answering} of ${ready} ready pods of the candidate tell what they count${answering === 0 ? REACH : ''}`
    : undefined;
}

/**
 * Why nothing can be said about the candidate; undefined: something can. `asked` counts what the step was asked about,
 * `reference` what it is held against, where it is held against anything.
 */
export function blindness(sight: Sight, asked: number, what: string, reference?: number): string | undefined {
  const unread = unreadable(sight);
  if (unread !== undefined || maySeeNothing(sight)) return unread;
  if (asked === 0) return `the candidate has had no ${what} since the step began`;
  return reference === 0 ? `the stable version has no ${what} to compare with` : undefined;
}

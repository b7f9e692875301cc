import type { RevisionFacts } from './world.ts';

type Facts = Readonly<Record<string, RevisionFacts>>;

/** A probe that a busy node answered late is no death: only after so long is a version without a ready pod taken for gone. */
export const UNREADY_MS = 3_000;

/** No pod of this version is ready, although some are asked for. */
export const isDown = ({ replicas, ready }: RevisionFacts): boolean => replicas > 0 && ready === 0;

/**
 * Since when each revision has no ready pod, at a look. Counted anew while no revision of the service has one: a node or
 * a network that all of them share says nothing about one, nor does the moment in which the first is back before the
 * other. A time that lies ahead is of a clock that was set back.
 */
export function unreadySince(
  before: ReadonlyMap<string, Date>,
  revisions: Facts,
  now: Date,
): ReadonlyMap<string, Date> {
  const allAreDown = Object.values(revisions).every(({ ready }) => ready === 0);
  const down = Object.entries(revisions).filter(([, { ready }]) => ready === 0);
  return new Map(
    down.map(([revision]) => {
      const since = before.get(revision);
      return [revision, since === undefined || allAreDown || since > now ? now : since];
    }),
  );
}

/** The facts of a look with what `unreadySince` says of them. */
export const withUnready = (revisions: Facts, since: ReadonlyMap<string, Date>): Record<string, RevisionFacts> =>
  Object.fromEntries(
    Object.entries(revisions).map(([revision, facts]) => {
      const at = since.get(revision);
      return [revision, at === undefined ? facts : { ...facts, unreadySince: at }];
    }),
  );

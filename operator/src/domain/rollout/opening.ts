import { rfc3339 } from '../../kube/conditions.ts';
import { windowOpens } from './window.ts';
import type { Cause, World } from './world.ts';

export interface Closed extends Cause {
  /** Milliseconds until it opens; undefined: never, as the spec is. */
  readonly opensInMs?: number;
}

const closed = (what: string, until: Date | undefined, { now }: World): Closed => ({
  reason: 'OutsideWindow',
  message: `${what} ${until === undefined ? 'and never opens again' : `until ${rfc3339(until)}`}; rollback and abort are open.`,
  ...(until === undefined ? {} : { opensInMs: until.getTime() - now.getTime() }),
});

/** Why the window keeps a candidate from getting more; undefined: it is open, or there is none. */
export function outsideWindow(world: World): Closed | undefined {
  const { window } = world.spec.rollout;
  if (window === undefined) return undefined;
  const { open, nextOpen } = windowOpens(window, world.now);
  return open ? undefined : closed('The rollout window is closed', nextOpen, world);
}

/** Why a rollout may not begin now. */
export function notYet(world: World): Closed | undefined {
  const { startAt } = world.spec.rollout;
  const start = startAt === undefined ? undefined : new Date(startAt);
  if (start !== undefined && start > world.now) return closed('The rollout is to begin later: it waits', start, world);
  return outsideWindow(world);
}

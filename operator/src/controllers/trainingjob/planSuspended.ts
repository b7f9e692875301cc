import { settled } from '../../kube/outcome.ts';
import { betweenAttempts, hasBegun } from './attemptStatus.ts';
import { clear, stop } from './fail.ts';
import { normal } from './notes.ts';
import { observedStatus } from './observe.ts';
import { underWay } from './outlook.ts';
import { untilDeadline } from './timers.ts';
import type { Plan, World } from './world.ts';

const SUSPENDED = underWay('Suspended', 'No pod runs, as spec.suspend is true. Training goes on once it is false.');

const told = ({ tj }: World): Plan['events'] =>
  tj.status?.phase === 'Suspended' ? [] : [normal('Suspended', 'spec.suspend is true: the pods are ended.')];

/**
 * A suspended run. The attempt that ran is over and costs nothing; what runs of it is ended by the next pass, once it is
 * written that it is over, so that its end is never taken for a failure.
 */
export function suspend(world: World): Plan {
  const { tj, attempt } = world;
  const runs = attempt.job !== undefined || hasBegun(world);
  const status = runs ? { ...betweenAttempts(world), attempt: (tj.status?.attempt ?? 0) + 1 } : observedStatus(world);
  return {
    actions: runs ? [] : clear(world),
    status: { ...status, phase: 'Suspended' },
    observed: SUSPENDED,
    events: told(world),
    next: untilDeadline(world),
  };
}

/** Suspended after training: what is trained waits in the workspace, and is published afterwards. */
export const suspendPublishing = (world: World): Plan => ({
  actions: [...clear(world), ...stop([world.publish.job])],
  status: { ...observedStatus(world), phase: 'Suspended' },
  observed: underWay('Suspended', 'Training is done; nothing is published while spec.suspend is true.'),
  events: told(world),
  next: settled,
});

import { stillExcluded } from '../../domain/training/attempts.ts';
import { acceleratorSeconds } from '../../domain/training/held.ts';
import { compact } from '../../render/compact.ts';
import { observedStatus } from './observe.ts';
import type { BareStatus, World } from './world.ts';

/** Whether pods of the current attempt ever ran, so that its end is worth telling. */
export const hasBegun = ({ tj }: World): boolean =>
  tj.status?.attemptStartedAt !== undefined || tj.status?.phase === 'Running';

const held = (world: World, status: BareStatus): number | undefined => {
  const { accelerator, nodes } = world.tj.spec;
  if (accelerator === undefined) return undefined;
  const facts = { pods: world.attempt.pods, count: accelerator.count, nodes, startedAt: status.attemptStartedAt };
  return (status.acceleratorSeconds ?? 0) + acceleratorSeconds(facts, world.now);
};

/** Pods of a Job that its queue took back were brought to account when it did, and may take a while to end. */
const isAccounted = ({ tj, attempt }: World): boolean =>
  tj.status?.trainedAt !== undefined ||
  (attempt.job?.spec?.suspend === true && tj.status?.attemptStartedAt === undefined);

/** The status with the current attempt brought to account, once: in the same write that says it is over. */
export function accounted(world: World): BareStatus {
  const status = observedStatus(world);
  return isAccounted(world) ? status : compact<BareStatus>({ ...status, acceleratorSeconds: held(world, status) });
}

/** What is left to say between two attempts: nothing of the pods of the last one holds any more. */
export function betweenAttempts(world: World): BareStatus {
  const {
    nodes: _n,
    placement: _p,
    gang: _g,
    attemptStartedAt: _a,
    queue: _q,
    resumedFrom: _r,
    ...kept
  } = accounted(world);
  return kept;
}

/** Nodes that are left out at present; absent rather than empty. */
export function excluded({ tj, now }: World): Pick<BareStatus, 'excludedNodes'> {
  const nodes = stillExcluded(tj.status?.excludedNodes ?? [], now);
  return nodes.length === 0 ? {} : { excludedNodes: nodes };
}

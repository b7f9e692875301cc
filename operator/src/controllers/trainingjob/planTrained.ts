import { ANNOTATIONS } from '@slipway/crds/contract';
import { jobEnd } from '../../domain/workload/jobEnd.ts';
import { rfc3339 } from '../../kube/conditions.ts';
import { again, settled } from '../../kube/outcome.ts';
import { accounted } from './attemptStatus.ts';
import { clear } from './fail.ts';
import { normal } from './notes.ts';
import { observedStatus } from './observe.ts';
import { underWay } from './outlook.ts';
import { claim } from './planClaim.ts';
import { planPublishing } from './planPublishing.ts';
import { suspendPublishing } from './planSuspended.ts';
import type { Plan, World } from './world.ts';

/** Training ended well, now or in an earlier pass. */
export const isTrained = ({ tj }: World): boolean =>
  tj.status?.trainedAt !== undefined || tj.status?.phase === 'Publishing';

export const waitsToBeAsked = ({ tj }: World): boolean =>
  tj.spec.publish.when === 'Asked' &&
  tj.status?.version === undefined &&
  tj.metadata.annotations?.[ANNOTATIONS.publish] !== tj.metadata.uid;

const endOf = ({ attempt: { job }, now }: World): string => {
  const end = job && jobEnd(job);
  return end?.at ?? rfc3339(now);
};

/** The attempt ended well: from now on its Job may go. */
export function finishAttempt(world: World): Plan {
  const phase = waitsToBeAsked(world) ? 'Trained' : 'Publishing';
  const message = `Training succeeded${phase === 'Trained' ? '.' : '; its output is being published.'}`;
  const { gang: _g, queue: _q, nextAttemptAt: _n, ...status } = accounted(world);
  return {
    actions: [],
    status: { ...status, phase, trainedAt: endOf(world) },
    observed: underWay(phase, message),
    events: [normal('TrainingSucceeded', message)],
    next: again(1, 'what follows training begins'),
  };
}

const waitToBeAsked = (world: World): Plan => {
  const { name, uid } = world.tj.metadata;
  return {
    actions: clear(world),
    status: { ...observedStatus(world), phase: 'Trained' },
    observed: underWay(
      'Trained',
      `Trained, and publish.when is Asked: kubectl annotate trainingjob ${name} ${ANNOTATIONS.publish}=${uid} publishes it.`,
    ),
    events: [],
    next: settled,
  };
};

/** Everything after training: waiting to be asked, the version, the artifact and its name. */
export function planTrained(world: World): Plan {
  if (world.tj.spec.suspend === true) return suspendPublishing(world);
  if (waitsToBeAsked(world)) return waitToBeAsked(world);
  if (world.tj.status?.version === undefined) return claim(world);
  return planPublishing(world);
}

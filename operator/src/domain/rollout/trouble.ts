import type { Pod } from '../../api/builtin.ts';
import { missingAccelerators } from '../workload/accelerators.ts';
import { containerStatus, isKnownReason, termination } from '../workload/podEnd.ts';
import { podWait } from '../workload/podWait.ts';
import type { Trouble } from './world.ts';

/** Deaths after which a container is taken to die always: one may be bad luck of the node, and each costs a back-off. */
const FATAL_RESTARTS = 2;
const LONGEST_MESSAGE = 512;

/** Why the container died last, when it waits to be started again. */
function crash(pod: Pod, container: string): Trouble | undefined {
  const status = containerStatus(pod, container);
  const died = status?.state?.terminated ?? status?.lastState?.terminated;
  const down = status?.state?.waiting?.reason === 'CrashLoopBackOff' || status?.state?.terminated !== undefined;
  if (died === undefined || !down) return undefined;
  const restarts = status?.restartCount ?? 0;
  const document = termination(died.message);
  const told = document !== undefined && isKnownReason(document.reason);
  const reason = died.reason === 'OOMKilled' ? 'OOMKilled' : told ? document.reason : 'CrashLoopBackOff';
  const words = (document?.message ?? died.message ?? '').trim().slice(-LONGEST_MESSAGE);
  return {
    reason,
    message: `Pod ${pod.metadata.name} exited with code ${died.exitCode}${words === '' ? '' : `: ${words}`}`,
    fatal: restarts >= FATAL_RESTARTS,
  };
}

/**
 * The first cause that keeps pods of a revision from serving. A crash says more than the back-off that follows it, so
 * crashes are looked for first, the fatal ones before the others.
 */
export function troubleOf(pods: readonly Pod[], container: string): Trouble | undefined {
  const crashes = pods.flatMap((pod) => crash(pod, container) ?? []);
  const wait = missingAccelerators(pods) ?? podWait(pods);
  return crashes.find(({ fatal }) => fatal) ?? crashes[0] ?? (wait && { ...wait, fatal: false });
}

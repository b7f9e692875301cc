import type { Pod } from '../../api/builtin.ts';
import { missingAccelerators } from '../workload/accelerators.ts';
import { containerStatus, isKnownReason, isOfTheInput, termination } from '../workload/podEnd.ts';
import { type ExplainPod, podWait } from '../workload/podWait.ts';
import type { Trouble } from './world.ts';

/** Deaths after which a container is taken to die always: one may be bad luck of the node, and each costs a back-off. */
const FATAL_RESTARTS = 2;
const LONGEST_MESSAGE = 512;

/** A container that is done before the servers start: one that ended well is no trouble. */
const isDone = ({ status }: Pod, container: string): boolean =>
  status?.initContainerStatuses?.some((c) => c.name === container && c.state?.terminated?.exitCode === 0) ?? false;

/**
 * Why the container died last, when it waits to be started again. A store that refuses or is away is no fault of the
 * version, however often a pod meets it: its pods go on trying.
 */
function crash(pod: Pod, container: string): Trouble | undefined {
  const status = containerStatus(pod, container);
  const died = status?.state?.terminated ?? status?.lastState?.terminated;
  const down = status?.state?.waiting?.reason === 'CrashLoopBackOff' || status?.state?.terminated !== undefined;
  if (died === undefined || !down || isDone(pod, container)) return undefined;
  const document = termination(died.message);
  const told = document !== undefined && isKnownReason(document.reason) ? document.reason : undefined;
  const words = (document?.message ?? died.message ?? '').trim().slice(-LONGEST_MESSAGE);
  return {
    reason: died.reason === 'OOMKilled' ? 'OOMKilled' : (told ?? 'CrashLoopBackOff'),
    message: `Pod ${pod.metadata.name} exited with code ${died.exitCode}${words === '' ? '' : `: ${words}`}`,
    fatal: (status?.restartCount ?? 0) >= FATAL_RESTARTS && (told === undefined || isOfTheInput(told)),
  };
}

/**
 * The first cause that keeps pods of a revision from serving. A crash says more than the back-off that follows it, so
 * crashes of these containers are looked for first, the fatal ones before the others.
 */
export function troubleOf(
  pods: readonly Pod[],
  containers: readonly string[],
  explain?: ExplainPod,
): Trouble | undefined {
  const crashes = pods.flatMap((pod) => containers.flatMap((container) => crash(pod, container) ?? []));
  const wait = missingAccelerators(pods, explain) ?? podWait(pods, explain);
  return crashes.find(({ fatal }) => fatal) ?? crashes[0] ?? (wait && { ...wait, fatal: false });
}

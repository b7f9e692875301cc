import type { Pod } from '../../api/builtin.ts';
import { oneLine } from './oneLine.ts';

/** Why a pod that should run does not. `reason` becomes the reason of Ready and Reconciling. */
export interface PodWait {
  readonly reason: 'Unschedulable' | 'ImagePullFailed' | 'ContainerCannotStart';
  readonly message: string;
}

const IMAGE_REASONS = [
  'ImagePullBackOff',
  'ErrImagePull',
  'ErrImageNeverPull',
  'InvalidImageName',
  'ImageInspectError',
];
const START_REASONS = ['CreateContainerConfigError', 'CreateContainerError', 'RunContainerError', 'CrashLoopBackOff'];

const waiting = (pod: Pod) =>
  [...(pod.status?.initContainerStatuses ?? []), ...(pod.status?.containerStatuses ?? [])].flatMap((c) =>
    c.state?.waiting === undefined ? [] : [{ ...c.state.waiting, container: c.name, image: c.image }],
  );

/** The scheduler's own words about a pod it can't place. */
export const unschedulableMessage = (pod: Pod): string | undefined => {
  const placed = pod.status?.conditions?.find(({ type }) => type === 'PodScheduled');
  return placed?.status === 'False' && placed.reason === 'Unschedulable' ? oneLine(placed.message ?? '') : undefined;
};

/** Says in our words why no node takes a pod; undefined: the scheduler's own are all there is. */
export type ExplainPod = (pod: Pod) => string | undefined;

type Rule = (pod: Pod, explain: ExplainPod) => PodWait | undefined;

const imageNotPulled: Rule = (pod) => {
  const stuck = waiting(pod).find(({ reason }) => IMAGE_REASONS.includes(reason ?? ''));
  return (
    stuck && {
      reason: 'ImagePullFailed',
      message: `The image ${imageOf(pod, stuck.container) ?? stuck.image} of container ${stuck.container} can't be pulled: ${oneLine(stuck.message ?? stuck.reason ?? '')}`,
    }
  );
};

const containerNotStarted: Rule = (pod) => {
  const stuck = waiting(pod).find(({ reason }) => START_REASONS.includes(reason ?? ''));
  return (
    stuck && {
      reason: 'ContainerCannotStart',
      message: `Container ${stuck.container} of pod ${pod.metadata.name} can't start: ${oneLine(stuck.message ?? stuck.reason ?? '')}`,
    }
  );
};

const notScheduled: Rule = (pod, explain) => {
  const message = unschedulableMessage(pod);
  return message === undefined
    ? undefined
    : { reason: 'Unschedulable', message: `No node takes pod ${pod.metadata.name}: ${explain(pod) ?? message}` };
};

/** The image as the pod asks for it: a status may name what the runtime resolved it to. */
const imageOf = (pod: Pod, container: string): string | undefined =>
  [...(pod.spec?.initContainers ?? []), ...(pod.spec?.containers ?? [])].find((c) => c.name === container)?.image;

/** In the order a pod goes through them: what can't be placed has pulled nothing yet. */
const RULES: readonly Rule[] = [notScheduled, imageNotPulled, containerNotStarted];

/** The first cause found in any of the pods, or undefined when all of them are on their way. */
export function podWait(pods: readonly Pod[], explain: ExplainPod = () => undefined): PodWait | undefined {
  for (const rule of RULES) {
    for (const pod of pods) {
      const wait = rule(pod, explain);
      if (wait !== undefined) return wait;
    }
  }
  return undefined;
}

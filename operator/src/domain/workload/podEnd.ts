import { TERMINATION_REASONS, type TerminationReason } from '@slipway/crds/contract';
import type { Pod } from '../../api/builtin.ts';
import { oneLine } from './oneLine.ts';
import { termination } from './report.ts';

export { termination };

type ContainerStatus = NonNullable<NonNullable<Pod['status']>['containerStatuses']>[number];
type Terminated = NonNullable<NonNullable<ContainerStatus['state']>['terminated']>;

/** Status of a container by name, sidecars included. */
export function containerStatus(pod: Pod, name: string): ContainerStatus | undefined {
  const { containerStatuses = [], initContainerStatuses = [] } = pod.status ?? {};
  return [...containerStatuses, ...initContainerStatuses].find((c) => c.name === name);
}

/** How a container of a pod ended, or undefined while it has not. */
export const terminated = (pod: Pod, container: string): Terminated | undefined =>
  containerStatus(pod, container)?.state?.terminated;

export const hasEnded = (pod: Pod): boolean => pod.status?.phase === 'Failed' || pod.status?.phase === 'Succeeded';

/** A cause that our own containers name and that needs no translation into a condition reason. */
export const isKnownReason = (reason: string): reason is TerminationReason =>
  (TERMINATION_REASONS as readonly string[]).includes(reason);

/** What a pod that failed says about it; `exitCode` is undefined when no container lived to exit. */
export interface PodFailure {
  readonly pod: string;
  readonly exitCode: number | undefined;
  readonly outOfMemory: boolean;
  readonly disrupted: boolean;
  /** Reason from our termination document, when it is one of the contract. */
  readonly reason: TerminationReason | undefined;
  /** The last words: the termination message, else why the kubelet or the control plane ended the pod. */
  readonly message: string;
}

function lastWords(pod: Pod, end: Terminated | undefined): string {
  const disruption = pod.status?.conditions?.find((c) => c.type === 'DisruptionTarget' && c.status === 'True');
  const said = termination(end?.message);
  const document = said === undefined ? undefined : `${said.reason}: ${said.message}`;
  return oneLine(document ?? end?.message ?? disruption?.message ?? pod.status?.message ?? '');
}

const describe = (pod: Pod, container: string): PodFailure => {
  const end = terminated(pod, container);
  const reason = termination(end?.message)?.reason;
  return {
    pod: pod.metadata.name,
    exitCode: end?.exitCode,
    outOfMemory: end?.reason === 'OOMKilled',
    disrupted: pod.status?.conditions?.some((c) => c.type === 'DisruptionTarget' && c.status === 'True') ?? false,
    reason: reason !== undefined && isKnownReason(reason) ? reason : undefined,
    message: lastWords(pod, end),
  };
};

const hasFailed = (pod: Pod, container: string): boolean =>
  pod.status?.phase === 'Failed' || (terminated(pod, container)?.exitCode ?? 0) !== 0;

const endedAt = (pod: Pod, container: string): number =>
  Date.parse(terminated(pod, container)?.finishedAt ?? '') || Number.MAX_SAFE_INTEGER;

/**
 * The failures of these pods, earliest first. When one pod of a gang dies the Job ends the others, so the later ones say
 * only that they were told to stop (exit code 143): the first is the cause.
 */
export const failuresOf = (pods: readonly Pod[], container: string): PodFailure[] =>
  pods
    .filter((pod) => hasFailed(pod, container))
    .sort((a, b) => endedAt(a, container) - endedAt(b, container) || (a.metadata.name < b.metadata.name ? -1 : 1))
    .map((pod) => describe(pod, container));

/** Messages of the containers that ended well, for the one that carries the report. */
export const lastMessages = (pods: readonly Pod[], container: string): string[] =>
  pods.flatMap((pod) => {
    const end = terminated(pod, container);
    return end?.exitCode === 0 ? [end.message ?? ''] : [];
  });

/** A cause that trying again can't cure: the container looked at its input and named what is wrong with it. */
export const isDecisive = ({ reason }: PodFailure): boolean => reason !== undefined && reason !== 'StoreUnavailable';

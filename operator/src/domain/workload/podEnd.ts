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
  readonly node: string | undefined;
  /** The container that failed; undefined when none lived to exit. */
  readonly container: string | undefined;
  readonly exitCode: number | undefined;
  readonly outOfMemory: boolean;
  readonly disrupted: boolean;
  /** Reason of the condition DisruptionTarget: who ended the pod. */
  readonly disruption: string | undefined;
  /** status.reason of the pod, such as Evicted. */
  readonly podReason: string | undefined;
  /** Somebody asked for the deletion of the pod. */
  readonly deleted: boolean;
  /** Reason from our termination document, when it is one of the contract. */
  readonly reason: TerminationReason | undefined;
  /** The last words: the termination message, else why the kubelet or the control plane ended the pod. */
  readonly message: string;
  /** All that was said, lines kept, for those who look for patterns. */
  readonly text: string;
  /** When it ended, in ms since the epoch; undefined when no container lived to exit. */
  readonly at: number | undefined;
}

const disruptionOf = (pod: Pod) =>
  pod.status?.conditions?.find(({ type, status }) => type === 'DisruptionTarget' && status === 'True');

function lastWords(pod: Pod, end: Terminated | undefined): string {
  const said = termination(end?.message);
  const document = said === undefined ? undefined : `${said.reason}: ${said.message}`;
  return oneLine(document ?? end?.message ?? disruptionOf(pod)?.message ?? pod.status?.message ?? '');
}

const endedAt = (end: Terminated | undefined): number => Date.parse(end?.finishedAt ?? '') || Number.MAX_SAFE_INTEGER;

/** Exit codes of a container that was told to stop: the end of its pod, not the cause of it. */
const TOLD_TO_STOP = [137, 143];

interface Failed {
  readonly name: string;
  readonly end: Terminated;
}

const failedOf = (pod: Pod, containers: readonly string[]): Failed[] =>
  containers
    .flatMap((name) => {
      const end = terminated(pod, name);
      return end === undefined || end.exitCode === 0 ? [] : [{ name, end }];
    })
    .sort((a, b) => endedAt(a.end) - endedAt(b.end));

const namesOf = ({ status }: Pod): string[] =>
  [...(status?.initContainerStatuses ?? []), ...(status?.containerStatuses ?? [])].map(({ name }) => name);

/**
 * The container of these that failed first. Where the pod failed and none of them did, another that the user added to it
 * is the cause.
 */
function failed(pod: Pod, containers: readonly string[]): Failed | undefined {
  const [first] = failedOf(pod, containers);
  if (first !== undefined || pod.status?.phase !== 'Failed') return first;
  return failedOf(pod, namesOf(pod)).find(({ end }) => !TOLD_TO_STOP.includes(end.exitCode));
}

function describe(pod: Pod, containers: readonly string[]): PodFailure {
  const { name, end } = failed(pod, containers) ?? {};
  const reason = termination(end?.message)?.reason;
  const at = endedAt(end);
  return {
    pod: pod.metadata.name,
    node: pod.spec?.nodeName,
    container: name,
    exitCode: end?.exitCode,
    outOfMemory: end?.reason === 'OOMKilled',
    disrupted: disruptionOf(pod) !== undefined,
    disruption: disruptionOf(pod)?.reason,
    podReason: pod.status?.reason,
    deleted: pod.metadata.deletionTimestamp !== undefined,
    reason: reason !== undefined && isKnownReason(reason) ? reason : undefined,
    message: lastWords(pod, end),
    text: [end?.message, disruptionOf(pod)?.message, pod.status?.message]
      .filter((part) => part !== undefined)
      .join('\n'),
    at: at === Number.MAX_SAFE_INTEGER ? undefined : at,
  };
}

/**
 * The failures of these pods, earliest first. When one pod of a gang dies the Job ends the others, so the later ones say
 * only that they were told to stop (exit code 143): the first is the cause.
 */
export const failuresOf = (pods: readonly Pod[], ...containers: readonly string[]): PodFailure[] =>
  pods
    .filter((pod) => pod.status?.phase === 'Failed' || failed(pod, containers) !== undefined)
    .map((pod) => describe(pod, containers))
    .sort((a, b) => (a.at ?? Number.MAX_SAFE_INTEGER) - (b.at ?? Number.MAX_SAFE_INTEGER) || (a.pod < b.pod ? -1 : 1));

/** Messages of the containers that ended well, for the one that carries the report. */
export const lastMessages = (pods: readonly Pod[], container: string): string[] =>
  pods.flatMap((pod) => {
    const end = terminated(pod, container);
    return end?.exitCode === 0 ? [end.message ?? ''] : [];
  });

/** Faults of what lies around the input: trying again, or another version, may do. */
const NOT_OF_THE_INPUT: readonly TerminationReason[] = [
  'StoreUnavailable',
  'StoreFull',
  'CredentialsRefused',
  'RivalUnavailable',
];

/** Whether a container that names this looked at its input and found the fault in it. */
export const isOfTheInput = (reason: TerminationReason): boolean => !NOT_OF_THE_INPUT.includes(reason);

/** A cause that trying again can't cure: the container looked at its input and named what is wrong with it. */
export const isDecisive = ({ reason }: PodFailure): boolean => reason !== undefined && isOfTheInput(reason);

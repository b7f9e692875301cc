import type { FailureClass, TrainingJobSpec } from '@slipway/crds';
import type { Job, Pod } from '../../api/builtin.ts';
import { parseDuration } from '../duration.ts';
import { hasEnded, terminated } from '../workload/podEnd.ts';
import { podWait } from '../workload/podWait.ts';
import type { Cause } from './cause.ts';
import { exitText } from './exitText.ts';
import { gapIn, indexOf } from './gang.ts';
import { looksLost } from './lost.ts';

/** A running attempt as the rules of trouble look at it. */
export interface Run {
  readonly job: Job;
  readonly pods: readonly Pod[];
  readonly nodes: number;
  readonly policy: Pick<TrainingJobSpec['failure'], 'startTimeout' | 'stallTimeout'>;
  readonly gang: string | undefined;
  /** When step or metrics last changed, RFC 3339; undefined: nothing was reported yet. */
  readonly progressSince: string | undefined;
  readonly step: number | undefined;
  readonly lostNodes: ReadonlyMap<string, string>;
  readonly now: Date;
  readonly startContainer: string;
  readonly trainContainer: string;
}

/** Past the time that a pod had to end in, its kubelet is given this much to say so. */
const OVERDUE_MS = 5_000;
/** Between two looks at a node that seems lost. */
const LOST_LOOK_MS = 15_000;
/** The container that prepares a pod gives up by itself, and says more: it goes first. */
const LATER_MS = 30_000;
/** As a process that SIGTERM ended: 128 + 15. */
const EXIT_TERMINATED = 143;

const cause = (kind: FailureClass, sentence: string, pod?: Pod): Cause => ({
  class: kind,
  reason: kind,
  sentence,
  words: '',
  nodeToBlame: false,
  ...(pod === undefined ? {} : { pod: pod.metadata.name, node: pod.spec?.nodeName }),
});

const isRunning = ({ status }: Pod): boolean => status?.phase === 'Running';

const startedAt = (pod: Pod, containers: readonly string[]): number[] =>
  [...(pod.status?.initContainerStatuses ?? []), ...(pod.status?.containerStatuses ?? [])]
    .filter(({ name }) => containers.includes(name))
    .flatMap(({ state }) => Date.parse(state?.running?.startedAt ?? state?.terminated?.startedAt ?? '') || []);

const first = (times: readonly number[]): number | undefined => (times.length === 0 ? undefined : Math.min(...times));

/** When the first pod ran a container of the attempt: the others have startTimeout from then on. */
const gathersSince = ({ pods, startContainer, trainContainer }: Run): number | undefined =>
  first(pods.flatMap((pod) => startedAt(pod, [startContainer, trainContainer])));

/** When all pods had begun to train; undefined while they have not. */
function trainsSince({ pods, nodes, trainContainer }: Run): number | undefined {
  const starts = pods.filter(isRunning).flatMap((pod) => startedAt(pod, [trainContainer]));
  return starts.length < nodes ? undefined : Math.max(...starts);
}

/** When the attempt counts as stalled if nothing changes until then; undefined: never. */
export function stallsAt(run: Run): number | undefined {
  const since = trainsSince(run);
  if (run.policy.stallTimeout === undefined || since === undefined) return undefined;
  return Math.max(since, Date.parse(run.progressSince ?? '') || 0) + parseDuration(run.policy.stallTimeout);
}

/** Pods that run nothing of the attempt yet. One that is being prepared is there: it may fetch data for hours. */
const absentees = ({ pods, startContainer, trainContainer }: Run): readonly Pod[] =>
  pods.filter((pod) => !hasEnded(pod) && startedAt(pod, [startContainer, trainContainer]).length === 0);

/** When the pods must all be there; undefined: they are, or none is yet. */
export function gathersUntil(run: Run): number | undefined {
  const since = gathersSince(run);
  const all = run.pods.length >= run.nodes && absentees(run).length === 0;
  return since === undefined || all ? undefined : since + parseDuration(run.policy.startTimeout) + LATER_MS;
}

/** When a pod that its node took on but can't start counts as never coming; undefined: all are on their way. */
export function startsUntil({ pods, policy }: Run): number | undefined {
  const stuck = pods.filter((pod) => podWait([pod]) !== undefined && pod.status?.startTime !== undefined);
  const since = first(stuck.map(({ status }) => Date.parse(status?.startTime ?? '')));
  return since === undefined ? undefined : since + parseDuration(policy.startTimeout);
}

/** When to look again at pods that are to end, or whose node seems lost; undefined: at none. */
export function looksAgainAt({ pods, now }: Run): number | undefined {
  const ends = pods
    .filter((pod) => !hasEnded(pod) && pod.metadata.deletionTimestamp !== undefined)
    .map(({ metadata }) => Date.parse(metadata.deletionTimestamp ?? '') + OVERDUE_MS + 1000);
  const ahead = ends.filter((time) => time > now.getTime());
  return first([...ahead, ...(pods.some(looksLost) ? [now.getTime() + LOST_LOOK_MS] : [])]);
}

const lostNode = ({ pods, lostNodes }: Run): Cause | undefined => {
  const pod = pods.find((p) => !hasEnded(p) && lostNodes.has(p.spec?.nodeName ?? ''));
  const node = pod?.spec?.nodeName ?? '';
  return pod && cause('NodeLost', `Pod ${pod.metadata.name} lost its node ${node}, which ${lostNodes.get(node)}.`, pod);
};

const overdue = ({ pods, now }: Run): Cause | undefined => {
  const pod = pods.find(
    (p) => !hasEnded(p) && now.getTime() - Date.parse(p.metadata.deletionTimestamp ?? '') > OVERDUE_MS,
  );
  return (
    pod &&
    cause(
      'NodeLost',
      `Pod ${pod.metadata.name} was to end, and its node ${pod.spec?.nodeName} does not say that it did.`,
      pod,
    )
  );
};

const isTrue = ({ status }: Job, types: readonly string[]): boolean =>
  status?.conditions?.some(({ type, status: truth }) => truth === 'True' && types.includes(type)) ?? false;

/** Its queue holds the Job, or it is done: its pods go by rights. */
const goesByRights = (job: Job): boolean =>
  job.spec?.suspend === true || isTrue(job, ['SuccessCriteriaMet', 'Suspended']);

/** The Job controller has seen a failure and ends the other pods, or will as soon as it sees it. */
const isFailing = ({ job, pods, trainContainer }: Run): boolean =>
  isTrue(job, ['FailureTarget']) ||
  pods.some((pod) => pod.status?.phase === 'Failed' || (terminated(pod, trainContainer)?.exitCode ?? 0) !== 0);

const gap = ({ job, gang, pods, nodes }: Run): Cause | undefined => {
  const found = gapIn(gang, job, pods, nodes);
  if (found === undefined) return undefined;
  return found.how === 'replaced'
    ? cause('AttemptLost', 'A pod was deleted and replaced by another, which the rest of the gang does not know.')
    : cause('AttemptLost', `The pod of index ${found.index} was deleted.`);
};

const neverStarted = (run: Run): Cause | undefined => {
  const wait = podWait(run.pods.filter(({ status }) => status?.startTime !== undefined));
  return wait !== undefined && run.now.getTime() >= (startsUntil(run) ?? Number.POSITIVE_INFINITY)
    ? cause('StartFailed', `${wait.message.replace(/\.$/, '')}. It did not start within ${run.policy.startTimeout}.`)
    : undefined;
};

const neverGathered = (run: Run): Cause | undefined => {
  if (run.now.getTime() < (gathersUntil(run) ?? Number.POSITIVE_INFINITY)) return undefined;
  const missing = absentees(run);
  const absent = run.nodes - run.pods.length;
  const names = missing.slice(0, 3).map(({ metadata }) => metadata.name);
  const who = [
    ...names,
    ...(missing.length > 3 ? [`${missing.length - 3} more`] : []),
    ...(absent > 0 ? [`${absent} not made yet`] : []),
  ];
  return cause(
    'Rendezvous',
    `Not all pods ran within ${run.policy.startTimeout} of the first: ${who.join(', ')} did not.`,
    missing[0],
  );
};

const stalled = (run: Run): Cause | undefined => {
  if (run.now.getTime() < (stallsAt(run) ?? Number.POSITIVE_INFINITY)) return undefined;
  const { stallTimeout } = run.policy;
  return cause(
    'Stalled',
    run.progressSince === undefined
      ? `All pods ran for ${stallTimeout} and reported no progress: failure.stallTimeout needs a trainer that does.`
      : `No progress for ${stallTimeout}: step ${run.step} since ${run.progressSince}, while all pods ran.`,
    run.pods.find((pod) => indexOf(pod) === 0),
  );
};

/** First match wins. A Job waits for the pods of a lost node for ever, also when it has failed. */
const LOST_RULES: readonly ((run: Run) => Cause | undefined)[] = [lostNode, overdue];
const RULES: typeof LOST_RULES = [...LOST_RULES, gap, neverStarted, neverGathered, stalled];

/** Why an attempt whose Job has not ended is over all the same; undefined: it is not. */
export function troubleOf(run: Run): Cause | undefined {
  if (goesByRights(run.job)) return undefined;
  for (const rule of isFailing(run) ? LOST_RULES : RULES) {
    const found = rule(run);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** What the Job controller says of the pod that a rule of ours matched: its namespace and name come first. */
const POD_OF_JOB = /\b[Pp]od (?:[^\s/]+\/)?(\S+) (?:failed with exit code (\d+)|has condition (DisruptionTarget))/;

/** What a Job says of its own end, for when its pods are gone: the messages of the Job controller for our two rules. */
export function causeOfJob(message: string): Cause {
  const [, pod, code, disrupted] = POD_OF_JOB.exec(message) ?? [];
  if (pod === undefined) return cause('AttemptLost', message);
  if (disrupted !== undefined) return { ...cause('Disrupted', `Pod ${pod} was disrupted, and is gone.`), pod };
  const exitCode = Number(code);
  const exit = exitText(exitCode);
  return exitCode === EXIT_TERMINATED
    ? { ...cause('AttemptLost', `Pod ${pod} was deleted (${exit}).`), pod, exitCode }
    : { ...cause('UserError', `Pod ${pod} failed (${exit}), and is gone with its last words.`), pod, exitCode };
}

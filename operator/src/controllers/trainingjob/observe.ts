import type { Pod } from '../../api/builtin.ts';
import { gangOf, indexOf } from '../../domain/training/gang.ts';
import { parseProgress, progressStatus } from '../../domain/training/progress.ts';
import { containerStatus, hasEnded, terminated } from '../../domain/workload/podEnd.ts';
import { preparedReport } from '../../domain/workload/report.ts';
import { rfc3339 } from '../../kube/conditions.ts';
import { compact } from '../../render/compact.ts';
import { AGENT_CONTAINER } from '../../render/trainingAgent.ts';
import { TRAIN_CONTAINER } from '../../render/trainingJob.ts';
import { PREPARE_CONTAINER } from '../../render/trainingPrepare.ts';
import type { BareStatus, World } from './world.ts';

const LONGEST_PLACEMENT = 2048;

const isReady = ({ status }: Pod): boolean =>
  status?.conditions?.some(({ type, status: truth }) => type === 'Ready' && truth === 'True') ?? false;

export const isRunning = ({ status }: Pod): boolean => status?.phase === 'Running';

/** The pod whose index is 0: the one that reports progress. */
export const masterPod = <P extends Pod>(pods: readonly P[]): P | undefined => pods.find((pod) => indexOf(pod) === 0);

const firstStart = (pods: readonly Pod[]): string | undefined =>
  pods
    .flatMap(({ status }) => status?.startTime ?? [])
    .sort()
    .at(0);

/**
 * When the kubelet first took a pod on: from then on accelerators are held, whether or not the image can be pulled, so
 * this is what the deadline is measured from. Time spent waiting for a node costs nothing and does not count.
 */
const startedAt = ({ tj, attempt }: World): string | undefined => tj.status?.startedAt ?? firstStart(attempt.pods);

/** What pod 0 was prepared with: the data as it was found, and the checkpoint that it goes on from. */
function prepared({ tj, attempt }: World): Pick<BareStatus, 'datasets' | 'resumedFrom'> {
  const master = masterPod(attempt.pods);
  const end = master && terminated(master, PREPARE_CONTAINER);
  const report = end?.exitCode === 0 ? preparedReport(end.message) : undefined;
  if (report === undefined) return { datasets: tj.status?.datasets, resumedFrom: tj.status?.resumedFrom };
  const datasets = report.datasets.map(({ name, digest }) => ({ name, digest }));
  return { datasets: datasets.length === 0 ? undefined : datasets, resumedFrom: report.resumedFrom };
}

/** The image as pulled, with its digest. Runtimes that imported an image by hand know an id only; then the name says more. */
function pulledImage({ tj, attempt }: World): string | undefined {
  const ids = attempt.pods.flatMap((pod) => containerStatus(pod, TRAIN_CONTAINER)?.imageID || []);
  const id = ids[0]?.replace(/^[a-z-]+:\/\//, '');
  if (id === undefined) return tj.status?.image;
  return id.includes('@') ? id : `${tj.spec.image} (${id})`;
}

const nodesOf = ({ attempt: { job, pods } }: World): BareStatus['nodes'] =>
  job === undefined
    ? undefined
    : {
        active: pods.filter((pod) => !hasEnded(pod)).length,
        ready: pods.filter(isReady).length,
        failed: pods.filter(({ status }) => status?.phase === 'Failed').length,
      };

/** Why no node takes the pods. */
export const placementOf = ({ placement }: World): string | undefined => placement?.slice(0, LONGEST_PLACEMENT);

/** The agent's last answer, else what pod 0 left behind as its termination message (the same document as progress.json). */
function progressOf({ tj, attempt, report, now }: World): BareStatus['progress'] {
  const master = masterPod(attempt.pods);
  const words = [TRAIN_CONTAINER, AGENT_CONTAINER].map((name) => master && terminated(master, name)?.message);
  const seen = report ?? words.map(parseProgress).find((progress) => progress !== undefined);
  const stored = tj.status?.progress;
  return seen === undefined ? stored : progressStatus(seen, stored, rfc3339(now));
}

/** The stored status with every fact that can be seen now. What can't be seen any more stays as it was last seen. */
export function observedStatus(world: World): BareStatus {
  const { conditions: _c, observedGeneration: _g, ...stored } = world.tj.status ?? {};
  return compact<BareStatus>({
    ...stored,
    startedAt: startedAt(world),
    attemptStartedAt: stored.attemptStartedAt ?? firstStart(world.attempt.pods),
    gang: stored.gang ?? gangOf(world.attempt.pods, world.tj.spec.nodes),
    ...prepared(world),
    image: pulledImage(world),
    nodes: nodesOf(world) ?? stored.nodes,
    progress: progressOf(world),
    placement: placementOf(world),
  });
}

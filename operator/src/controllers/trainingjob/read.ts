import { modelVersions, type TrainingJob } from '../../api/kinds.ts';
import { explainPlacement } from '../../domain/placement/explain.ts';
import { gapIn } from '../../domain/training/gang.ts';
import { looksLost, lostNodes } from '../../domain/training/lost.ts';
import { withoutTakenBack } from '../../domain/training/takenBack.ts';
import { jobEnd } from '../../domain/workload/jobEnd.ts';
import { unschedulableMessage } from '../../domain/workload/podWait.ts';
import type { ControllerContext } from '../../kube/contracts.ts';
import type { Stored } from '../../kube/wire.ts';
import { childNames } from '../../render/trainingJobChildren.ts';
import { type JobWorld, NO_JOB, readJob, readJobNow, readOthers } from '../jobs/jobWorld.ts';
import type { ClusterView } from '../placement/cluster.ts';
import { isRunning, masterPod } from './observe.ts';
import type { ProgressReader } from './progressReader.ts';
import type { QueueReader } from './queueReader.ts';
import type { World } from './world.ts';

export interface Reading {
  readonly context: ControllerContext;
  readonly progress: ProgressReader;
  readonly cluster: ClusterView;
  readonly queue: QueueReader;
}

/**
 * Why no node takes the pods, from the pod as it was made. A Job that its queue holds has none: then only what no node
 * could ever take is told, as its queue may wait for that for ever.
 */
async function readPlacement(
  { cluster }: Reading,
  tj: TrainingJob,
  { job, pods }: JobWorld,
  now: Date,
  signal: AbortSignal,
) {
  const { accelerator } = tj.spec;
  const stuck = pods.find((pod) => unschedulableMessage(pod) !== undefined);
  if (stuck?.spec !== undefined) {
    const asked = { accelerator, scheduler: unschedulableMessage(stuck) };
    const seen = await cluster.lookWithPods(now, signal, accelerator?.claim !== undefined);
    return explainPlacement(stuck.spec, seen, asked).sentence;
  }
  const template = job?.spec?.suspend === true ? job.spec.template.spec : undefined;
  if (template === undefined) return undefined;
  const { sentence, hopeless } = explainPlacement(template, await cluster.look(now, signal), { accelerator });
  return hopeless ? sentence : undefined;
}

async function readReport(
  { progress }: Reading,
  tj: Stored<TrainingJob>,
  { pods }: JobWorld,
  now: Date,
  signal: AbortSignal,
) {
  const master = masterPod(pods);
  return master !== undefined && isRunning(master) ? progress.read(tj, master, now, signal) : undefined;
}

const isTrainedOrEnded = ({ status }: TrainingJob): boolean =>
  status?.trainedAt !== undefined || ['Publishing', 'Succeeded', 'Failed'].includes(status?.phase ?? '');

const hasBegun = ({ status }: TrainingJob): boolean =>
  status?.attemptStartedAt !== undefined || status?.phase === 'Running';

/**
 * The current attempt. Jobs and pods come by two watches: where a Job or a pod of a gang seems to be gone the server is
 * asked, or an attempt that its queue took back, or that just ended, would count as lost, and pods that come before their
 * Job as left over.
 */
async function readGang({ context }: Reading, tj: Stored<TrainingJob>, signal: AbortSignal): Promise<JobWorld> {
  const name = childNames(tj.metadata.name).attempt(tj.status?.attempt ?? 0);
  const known = await readJob(context, tj, name, signal);
  if (isTrainedOrEnded(tj)) return known;
  const seemsGone =
    (known.job === undefined && (hasBegun(tj) || readOthers(context, tj, 'training', undefined).pods.length > 0)) ||
    (known.job !== undefined &&
      jobEnd(known.job) === undefined &&
      gapIn(tj.status?.gang, known.job, known.pods, tj.spec.nodes) !== undefined);
  return seemsGone ? readJobNow(context.client, tj, name, signal) : known;
}

async function readAttempt(reading: Reading, tj: Stored<TrainingJob>, signal: AbortSignal): Promise<JobWorld> {
  const { job, pods } = await readGang(reading, tj, signal);
  return { job, pods: tj.spec.queue === undefined || job === undefined ? pods : withoutTakenBack(job, pods) };
}

/** Read only while a pod looks as if its node were lost: else every heartbeat of a node would be of interest. */
async function readLostNodes({ cluster }: Reading, { pods }: JobWorld, now: Date, signal: AbortSignal) {
  const suspects = pods.filter((pod) => looksLost(pod) || pod.metadata.deletionTimestamp !== undefined);
  return suspects.length === 0
    ? new Map<string, string>()
    : lostNodes(suspects, (await cluster.look(now, signal)).nodes, now);
}

/** From the server, as its absence leads to a create and its digest to a verdict. */
function readModelVersion({ context }: Reading, { metadata, spec, status }: Stored<TrainingJob>, signal: AbortSignal) {
  if (status?.artifact === undefined || status.modelVersion !== undefined) return undefined;
  const key = { namespace: metadata.namespace ?? '', name: `${spec.model.name}-${status.version}` };
  return context.client.get(modelVersions, key, { signal });
}

/** Gathers what one decision about `tj` needs. */
export async function readWorld(reading: Reading, tj: Stored<TrainingJob>, signal: AbortSignal): Promise<World> {
  const { context } = reading;
  const now = context.now();
  const isPublishing = tj.status?.trainedAt !== undefined || tj.status?.phase === 'Publishing';
  const attempt = await readAttempt(reading, tj, signal);
  const publish = isPublishing ? await readJob(context, tj, childNames(tj.metadata.name).publish, signal) : NO_JOB;
  const [modelVersion, report, placement, lost, queue] = await Promise.all([
    readModelVersion(reading, tj, signal),
    readReport(reading, tj, attempt, now, signal),
    readPlacement(reading, tj, attempt, now, signal),
    readLostNodes(reading, attempt, now, signal),
    reading.queue.read(tj, attempt.job, signal),
  ]);
  const leftovers = readOthers(context, tj, 'training', attempt.job);
  return { tj, now, attempt, leftovers, publish, modelVersion, report, placement, lostNodes: lost, queue };
}

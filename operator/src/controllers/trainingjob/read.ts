import { type Node, nodes } from '../../api/builtin.ts';
import { modelVersions, type TrainingJob } from '../../api/kinds.ts';
import { unschedulableMessage } from '../../domain/workload/podWait.ts';
import type { Client } from '../../kube/client.ts';
import type { ControllerContext } from '../../kube/contracts.ts';
import type { Stored } from '../../kube/wire.ts';
import { childNames } from '../../render/trainingJobChildren.ts';
import { type JobWorld, NO_JOB, readJob } from '../jobs/jobWorld.ts';
import { isRunning, masterPod } from './observe.ts';
import type { ProgressReader } from './progressReader.ts';
import type { World } from './world.ts';

const NODES_STAY_FRESH_MS = 30_000;

/**
 * Lists the nodes on demand, at most twice a minute for all jobs together: they are wanted only to explain why pods find
 * no place, which is too seldom to watch every heartbeat of a big cluster. Without the right to list them the
 * scheduler's own words must do.
 */
export function nodeLister(client: Client): (now: Date, signal: AbortSignal) => Promise<readonly Node[]> {
  let known: { readonly at: number; readonly list: readonly Node[] } | undefined;
  return async (now, signal) => {
    if (known === undefined || now.getTime() - known.at > NODES_STAY_FRESH_MS) {
      const list = await client.list(nodes, undefined, { signal }).catch(() => []);
      known = { at: now.getTime(), list };
    }
    return known.list;
  };
}

export interface Reading {
  readonly context: ControllerContext;
  readonly progress: ProgressReader;
  readonly listNodes: ReturnType<typeof nodeLister>;
}

const wantsProducts = ({ spec }: TrainingJob): boolean => (spec.accelerator?.products?.length ?? 0) > 0;

async function readNodes(reading: Reading, tj: TrainingJob, { pods }: JobWorld, now: Date, signal: AbortSignal) {
  const stuck = pods.some((pod) => unschedulableMessage(pod) !== undefined);
  return stuck && wantsProducts(tj) ? reading.listNodes(now, signal) : [];
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

/** From the server, as its absence leads to a create and its digest to a verdict. */
function readModelVersion({ context }: Reading, { metadata, spec, status }: Stored<TrainingJob>, signal: AbortSignal) {
  if (status?.phase !== 'Publishing' || status.artifact === undefined) return undefined;
  const key = { namespace: metadata.namespace ?? '', name: `${spec.model.name}-${status.version}` };
  return context.client.get(modelVersions, key, { signal });
}

/** Gathers what one decision about `tj` needs. */
export async function readWorld(reading: Reading, tj: Stored<TrainingJob>, signal: AbortSignal): Promise<World> {
  const { context } = reading;
  const now = context.now();
  const names = childNames(tj.metadata.name);
  const attempt = await readJob(context, tj, names.attempt(tj.status?.attempt ?? 0), signal);
  const publish = tj.status?.phase === 'Publishing' ? await readJob(context, tj, names.publish, signal) : NO_JOB;
  const [modelVersion, report, nodeList] = await Promise.all([
    readModelVersion(reading, tj, signal),
    readReport(reading, tj, attempt, now, signal),
    readNodes(reading, tj, attempt, now, signal),
  ]);
  return { tj, now, attempt, publish, modelVersion, report, nodes: nodeList };
}

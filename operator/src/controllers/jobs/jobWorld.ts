import { type Job, jobs, type Pod, pods } from '../../api/builtin.ts';
import { jobEnd } from '../../domain/workload/jobEnd.ts';
import { hasEnded } from '../../domain/workload/podEnd.ts';
import type { Client } from '../../kube/client.ts';
import { type ControllerContext, type Source, type Store, source } from '../../kube/contracts.ts';
import type { Key } from '../../kube/resource.ts';
import type { KubeObject, Stored } from '../../kube/wire.ts';

/** A Job of ours with its pods. `job` is undefined while it does not exist or belongs to someone else. */
export interface JobWorld {
  readonly job: Stored<Job> | undefined;
  readonly pods: readonly Stored<Pod>[];
}
export const NO_JOB: JobWorld = { job: undefined, pods: [] };

const BY_OWNER = 'owner';
const ownerUids = ({ metadata }: KubeObject): string[] => (metadata.ownerReferences ?? []).map(({ uid }) => uid);

export const isOwnedBy = (object: KubeObject, owner: Stored<KubeObject>): boolean =>
  ownerUids(object).includes(owner.metadata.uid);

/**
 * Jobs of the given components and their pods. The annotation `ownerAnnotation`, which the renderers put on both, holds
 * the whole name of the object they belong to.
 */
export function jobSources(components: readonly string[], ownerAnnotation: string): Source[] {
  const labelSelector = `app.kubernetes.io/managed-by=slipway,app.kubernetes.io/component in (${components.join(',')})`;
  const toKeys = ({ metadata }: KubeObject): Key[] => {
    const name = metadata.annotations?.[ownerAnnotation];
    return name === undefined ? [] : [{ namespace: metadata.namespace ?? '', name }];
  };
  return [
    source({ resource: jobs, labelSelector, toKeys }),
    source({ resource: pods, labelSelector, toKeys, indexes: { [BY_OWNER]: ownerUids } }),
  ];
}

const listPods = (client: Client, job: Stored<Job>, signal: AbortSignal): Promise<Stored<Pod>[]> =>
  client.list(pods, job.metadata.namespace, {
    labelSelector: `batch.kubernetes.io/controller-uid=${job.metadata.uid}`,
    signal,
  });

/**
 * Reads the Job `name` of `owner` and its pods from the caches. Jobs and pods come by two watches: when the Job has
 * ended and no ended pod is cached yet, the server is asked, or the cause of the end would be lost.
 */
export async function readJob(
  { client, store }: Pick<ControllerContext, 'client' | 'store'>,
  owner: Stored<KubeObject>,
  name: string,
  signal: AbortSignal,
): Promise<JobWorld> {
  const job = store(jobs).get({ namespace: owner.metadata.namespace ?? '', name });
  if (job === undefined || !isOwnedBy(job, owner)) return NO_JOB;
  const podStore: Store<Pod> = store(pods);
  const cached = podStore.by(BY_OWNER, job.metadata.uid);
  if (jobEnd(job) === undefined || cached.some(hasEnded)) return { job, pods: cached };
  return { job, pods: await listPods(client, job, signal) };
}

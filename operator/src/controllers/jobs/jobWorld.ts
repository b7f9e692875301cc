import { LABELS } from '@slipway/crds/contract';
import { type Job, jobs, type Pod, pods } from '../../api/builtin.ts';
import { jobEnd } from '../../domain/workload/jobEnd.ts';
import { hasEnded } from '../../domain/workload/podEnd.ts';
import type { Client } from '../../kube/client.ts';
import { type ControllerContext, type Source, type Store, source } from '../../kube/contracts.ts';
import { type Key, keyOf, keyText } from '../../kube/resource.ts';
import type { KubeObject, Stored } from '../../kube/wire.ts';

/** A Job of ours with its pods. `job` is undefined while it does not exist or belongs to someone else. */
export interface JobWorld {
  readonly job: Stored<Job> | undefined;
  readonly pods: readonly Stored<Pod>[];
}
export const NO_JOB: JobWorld = { job: undefined, pods: [] };

const BY_OWNER = 'owner';
const BY_SUBJECT = 'subject';
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
  const subjects = (object: KubeObject): string[] => toKeys(object).map(keyText);
  return [
    source({ resource: jobs, labelSelector, toKeys, indexes: { [BY_SUBJECT]: subjects } }),
    source({ resource: pods, labelSelector, toKeys, indexes: { [BY_OWNER]: ownerUids, [BY_SUBJECT]: subjects } }),
  ];
}

type Stores = Pick<ControllerContext, 'store'>;
const ofComponent =
  (component: string) =>
  ({ metadata }: KubeObject): boolean =>
    metadata.labels?.[LABELS.component] === component;

/** What runs for `owner` beside the Job `current`: Jobs of it that have not ended, and pods, whoever owns them by now. */
export function readOthers(
  { store }: Stores,
  owner: Stored<KubeObject>,
  component: string,
  current: Stored<Job> | undefined,
): { readonly jobs: readonly Stored<Job>[]; readonly pods: readonly Stored<Pod>[] } {
  const subject = keyText(keyOf(owner));
  const isCurrent = (uid: string): boolean => uid === current?.metadata.uid;
  const jobStore: Store<Job> = store(jobs);
  const podStore: Store<Pod> = store(pods);
  return {
    jobs: jobStore
      .by(BY_SUBJECT, subject)
      .filter(ofComponent(component))
      .filter((job) => isOwnedBy(job, owner) && jobEnd(job) === undefined && !isCurrent(job.metadata.uid)),
    pods: podStore
      .by(BY_SUBJECT, subject)
      .filter(ofComponent(component))
      .filter((pod) => !hasEnded(pod) && !ownerUids(pod).some(isCurrent)),
  };
}

/** Of the Job by its ownerReference too: the label alone can stand in the template of anybody's Deployment. */
async function listPods(client: Client, job: Stored<Job>, signal: AbortSignal): Promise<Stored<Pod>[]> {
  const labelSelector = `batch.kubernetes.io/controller-uid=${job.metadata.uid}`;
  const labelled = await client.list(pods, job.metadata.namespace, { labelSelector, signal });
  return labelled.filter((pod) => isOwnedBy(pod, job));
}

/** The Job `name` of `owner` and its pods as the server has them now. */
export async function readJobNow(
  client: Client,
  owner: Stored<KubeObject>,
  name: string,
  signal: AbortSignal,
): Promise<JobWorld> {
  const job = await client.get(jobs, { namespace: owner.metadata.namespace ?? '', name }, { signal });
  if (job === undefined || !isOwnedBy(job, owner)) return NO_JOB;
  return { job, pods: await listPods(client, job, signal) };
}

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

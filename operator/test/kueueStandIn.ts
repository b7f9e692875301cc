import { type Job, jobs } from '../src/api/builtin.ts';
import { KUEUE, type Workload, workloads } from '../src/api/kueue.ts';
import type { Client } from '../src/kube/client.ts';
import { isAlreadyExists } from '../src/kube/errors.ts';
import { keyOf, type Resource, resource } from '../src/kube/resource.ts';
import type { KubeObject, Stored } from '../src/kube/wire.ts';

interface Definition extends KubeObject {
  spec: object;
}
const definitions = resource<Definition>(
  'apiextensions.k8s.io',
  'v1',
  'CustomResourceDefinition',
  'customresourcedefinitions',
  false,
);

const definition = ({ group, version, kind, plural }: Resource): Definition => ({
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: `${plural}.${group}` },
  spec: {
    group,
    scope: 'Namespaced',
    names: { kind, plural, singular: kind.toLowerCase() },
    versions: [
      {
        name: version,
        served: true,
        storage: true,
        subresources: { status: {} },
        schema: { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } },
      },
    ],
  },
});

const condition = (type: string, status: 'True' | 'False', reason: string, message: string) => ({
  type,
  status,
  reason,
  message,
  lastTransitionTime: '2026-01-01T00:00:00Z',
});

/** What Kueue sets in a Job that it lets go, from the flavor that it was given, and takes out again when it stops it. */
const FLAVOR = { 'instance-type': 'h100' };

/**
 * Does to a batch/v1 Job what Kueue's integration of Jobs documents (sigs.k8s.io/kueue, concepts/workload and
 * tasks/run/jobs; RunWithPodSetsInfo and Stop of pkg/controller/jobs/job): a Workload for each Job with a queue name,
 * the flavor's node labels in the pod template and suspend: false when it is admitted; the template restored and
 * suspend: true when it is evicted. It weighs no quota: the test does. The real Kueue, which Go takes long to build, does
 * all this in queue.kueue.test.ts; this one is for the suite that runs on every change.
 */
export class KueueStandIn {
  readonly #client: Client;
  readonly #workloads: Resource<Workload>;

  private constructor(client: Client) {
    this.#client = client;
    this.#workloads = workloads.at(-1) as Resource<Workload>;
  }

  static async install(client: Client): Promise<KueueStandIn> {
    const stand = new KueueStandIn(client);
    await client.create(definitions, definition(stand.#workloads)).catch((error: unknown) => {
      if (!isAlreadyExists(error)) throw error;
    });
    return stand;
  }

  #manifest({ metadata }: Stored<Job>): Workload {
    const { name, namespace = '', uid } = metadata;
    return {
      apiVersion: `${this.#workloads.group}/${this.#workloads.version}`,
      kind: 'Workload',
      metadata: {
        name: `job-${name}-${uid.slice(0, 5)}`,
        namespace,
        labels: { [KUEUE.jobUid]: uid },
        ownerReferences: [{ apiVersion: 'batch/v1', kind: 'Job', name, uid, controller: true }],
      },
    };
  }

  async #says(job: Stored<Job>, ...conditions: ReturnType<typeof condition>[]): Promise<void> {
    const workload = this.#manifest(job);
    const { name, namespace = '' } = workload.metadata;
    const status = { ...workload, metadata: { name, namespace }, status: { conditions } };
    await this.#client.applyStatus(this.#workloads, status, { fieldManager: 'kueue' });
  }

  /** Takes a Job up that it has no quota for. */
  async takeUp(job: Stored<Job>, message: string): Promise<void> {
    await this.#client.create(this.#workloads, this.#manifest(job));
    await this.#says(job, condition('QuotaReserved', 'False', 'Pending', message));
  }

  /** Lets a Job go. */
  async admit(job: Stored<Job>): Promise<Stored<Job>> {
    await this.#says(
      job,
      condition('QuotaReserved', 'True', 'QuotaReserved', 'Quota reserved in ClusterQueue cluster'),
      condition('Admitted', 'True', 'Admitted', 'The workload is admitted'),
    );
    const template = { spec: { nodeSelector: FLAVOR } };
    return this.#client.merge(jobs, keyOf(job), { spec: { suspend: false, template } });
  }

  /** Takes a Job back, for one of higher priority. */
  async evict(job: Stored<Job>, message: string): Promise<void> {
    await this.#says(
      job,
      condition('QuotaReserved', 'False', 'Pending', message),
      condition('Evicted', 'True', 'Preempted', message),
    );
    await this.#client.merge(jobs, keyOf(job), { spec: { suspend: true } });
    await this.#client.merge(jobs, keyOf(job), { spec: { template: { spec: { nodeSelector: null } } } });
  }
}

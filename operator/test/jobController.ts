import { type Job, jobs, type Pod, pods } from '../src/api/builtin.ts';
import type { Client } from '../src/kube/client.ts';
import { rfc3339 } from '../src/kube/conditions.ts';
import { keyOf } from '../src/kube/resource.ts';
import type { Stored } from '../src/kube/wire.ts';
import { type PodFacts, podStatus } from './trainingBuilders.ts';

const AS_NODE = { fieldManager: 'kubelet' };
const AS_JOB_CONTROLLER = { fieldManager: 'job-controller' };

/**
 * Stands in for the Job controller, the scheduler and the kubelet, none of which runs beside a bare API server: makes
 * the pods of a Job and writes their status as those would. The API server validates every word of it.
 */
export class HandDrivenJobs {
  readonly #client: Client;

  constructor(client: Client) {
    this.#client = client;
  }

  /** Makes the pod of one index, labelled and owned as the Job controller does, with the given status. */
  async pod(job: Stored<Job>, facts: PodFacts): Promise<Stored<Pod>> {
    const { index = 0 } = facts;
    const template = job.spec?.template;
    const owner = {
      apiVersion: 'batch/v1',
      kind: 'Job',
      name: job.metadata.name,
      uid: job.metadata.uid,
      controller: true,
    };
    const made = await this.#client.create(pods, {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: {
        name: `${job.metadata.name}-${index}-${process.hrtime.bigint() % 100_000n}`,
        namespace: job.metadata.namespace ?? '',
        labels: { ...template?.metadata?.labels, 'batch.kubernetes.io/controller-uid': job.metadata.uid },
        annotations: {
          ...template?.metadata?.annotations,
          'batch.kubernetes.io/job-completion-index': String(index),
        },
        ownerReferences: [owner],
      },
      ...(template?.spec === undefined
        ? {}
        : { spec: { ...template.spec, ...(facts.node === undefined ? {} : { nodeName: facts.node }) } }),
    });
    return this.podIs(made, facts);
  }

  podIs({ metadata: { name, namespace = '' } }: Stored<Pod>, facts: PodFacts): Promise<Stored<Pod>> {
    const object: Pod = { apiVersion: 'v1', kind: 'Pod', metadata: { name, namespace }, status: podStatus(facts) };
    return this.#client.applyStatus(pods, object, AS_NODE);
  }

  /** Ends a Job the way the Job controller does: the target condition first, then the terminal one. */
  async end(job: Stored<Job>, kind: 'Complete' | 'Failed'): Promise<void> {
    const at = rfc3339(new Date());
    const started = { startTime: job.metadata.creationTimestamp ?? at };
    const types = kind === 'Complete' ? ['SuccessCriteriaMet', 'Complete'] : ['FailureTarget', 'Failed'];
    const conditions = types.map((type) => ({
      type,
      status: 'True',
      reason: kind === 'Complete' ? 'CompletionsReached' : 'PodFailurePolicy',
      message: 'driven by hand',
      lastTransitionTime: at,
      lastProbeTime: at,
    }));
    const { completions = 1 } = job.spec ?? {};
    const indexed =
      job.spec?.completionMode === 'Indexed'
        ? { completedIndexes: completions === 1 ? '0' : `0-${completions - 1}` }
        : {};
    const counts = kind === 'Complete' ? { completionTime: at, succeeded: completions, ...indexed } : { failed: 1 };
    const { name, namespace = '' } = job.metadata;
    await this.#client.applyStatus(
      jobs,
      {
        apiVersion: 'batch/v1',
        kind: 'Job',
        metadata: { name, namespace },
        status: { ...started, ...counts, conditions, uncountedTerminatedPods: {}, ready: 0 },
      },
      AS_JOB_CONTROLLER,
    );
  }

  /** Deletes a Job and its pods, as a TTL or a person would; no garbage collector runs here. */
  async vanish(job: Stored<Job>): Promise<void> {
    const namespace = job.metadata.namespace ?? '';
    const owned = await this.#client.list(pods, namespace, {
      labelSelector: `batch.kubernetes.io/controller-uid=${job.metadata.uid}`,
    });
    await this.#client.delete(jobs, keyOf(job), { propagation: 'Background' });
    for (const pod of owned) await this.#client.delete(pods, keyOf(pod));
  }
}

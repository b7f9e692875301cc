import type { Job } from '../../api/builtin.ts';
import type { TrainingJob } from '../../api/kinds.ts';
import { KUEUE, type Workload, workloads } from '../../api/kueue.ts';
import type { Client } from '../../kube/client.ts';
import { isForbidden, isNotFound } from '../../kube/errors.ts';
import type { Stored } from '../../kube/wire.ts';

/** The conditions of a Workload that tell where it stands, the most telling first. */
const TELLING = ['Finished', 'Evicted', 'Admitted', 'QuotaReserved'] as const;

/**
 * What a Workload says of its place: why it is not admitted, or that it is. Of one that stands behind others Kueue says
 * nothing, and of one that asks for the same as another that did not fit neither (its SchedulingEquivalenceHashing).
 */
export function standing({ metadata, status }: Workload): string {
  const found = TELLING.map((type) => status?.conditions?.find((condition) => condition.type === type)).find(
    (condition) => condition !== undefined && (condition.status === 'True' || condition.type === 'QuotaReserved'),
  );
  return found === undefined
    ? `Workload ${metadata.name} has not been tried yet: others stand before it, or one that asks for the same did not fit.`
    : `${found.reason}: ${found.message}`;
}

/**
 * Asks Kueue why a Job is not let go, by the Workload that it makes for it. Kueue need not be there, and its API may be
 * closed to us: the Job is the truth, and this only explains it.
 */
export class QueueReader {
  readonly #client: Client;

  constructor(client: Client) {
    this.#client = client;
  }

  async read(
    { spec }: Stored<TrainingJob>,
    job: Stored<Job> | undefined,
    signal: AbortSignal,
  ): Promise<string | undefined> {
    if (spec.queue === undefined || job?.spec?.suspend !== true) return undefined;
    try {
      const found = await this.#workloadsOf(job, signal);
      if (found === undefined) {
        return `There is no Kueue in this cluster: install it, or create the job without queue ${spec.queue}.`;
      }
      const [workload] = found;
      return workload === undefined
        ? `LocalQueue ${spec.queue}: Kueue has not taken the job up yet.`
        : standing(workload);
    } catch (error) {
      if (isForbidden(error)) return undefined;
      throw error;
    }
  }

  /** By the newest version of the API that this cluster serves; undefined: it serves none. */
  async #workloadsOf({ metadata }: Stored<Job>, signal: AbortSignal): Promise<readonly Workload[] | undefined> {
    const labelSelector = `${KUEUE.jobUid}=${metadata.uid}`;
    for (const version of workloads) {
      try {
        return await this.#client.list(version, metadata.namespace, { labelSelector, signal });
      } catch (error) {
        if (!isNotFound(error)) throw error;
      }
    }
    return undefined;
  }
}

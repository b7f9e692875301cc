import type { Condition } from '@slipway/crds';
import { resource } from '../kube/resource.ts';
import type { KubeObject } from '../kube/wire.ts';

/** What we read of a Workload of Kueue: how the queue stands to one Job. The same in both versions of its API. */
export interface Workload extends KubeObject {
  status?: { conditions?: Pick<Condition, 'type' | 'status' | 'reason' | 'message'>[] };
}

const GROUP = 'kueue.x-k8s.io';

/** Newest first: v1beta2 since Kueue 0.15, v1beta1 before. */
export const workloads = ['v1beta2', 'v1beta1'].map((version) =>
  resource<Workload>(GROUP, version, 'Workload', 'workloads'),
);

/** Labels of Kueue: on a Job, the LocalQueue that admits it and its priority there; on a Workload, the uid of its Job. */
export const KUEUE = {
  queueName: `${GROUP}/queue-name`,
  priorityClass: `${GROUP}/priority-class`,
  jobUid: `${GROUP}/job-uid`,
} as const;

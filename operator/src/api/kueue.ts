import type { Condition } from '@slipway/crds';
import { resource } from '../kube/resource.ts';
import type { KubeObject } from '../kube/wire.ts';

/** What we read of a Workload of Kueue (kueue.x-k8s.io/v1beta1): how the queue stands to one Job. */
export interface Workload extends KubeObject {
  status?: { conditions?: Pick<Condition, 'type' | 'status' | 'reason' | 'message'>[] };
}

export const workloads = resource<Workload>('kueue.x-k8s.io', 'v1beta1', 'Workload', 'workloads');

/** Labels of Kueue: on a Job, the LocalQueue that admits it; on a Workload, the uid of its Job. */
export const KUEUE = { queueName: 'kueue.x-k8s.io/queue-name', jobUid: 'kueue.x-k8s.io/job-uid' } as const;

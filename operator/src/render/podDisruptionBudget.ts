import type { PodDisruptionBudget } from '../api/builtin.ts';
import type { InferenceService } from '../api/kinds.ts';
import type { Stored } from '../kube/wire.ts';
import { predictorMeta, predictorNames, revisionSelector } from './predictorChildren.ts';

/**
 * At most one pod of a revision is evicted at a time. A budget a revision, as the broken pods of a candidate would use
 * up a shared one and block a node drain; and maxUnavailable, as minAvailable 1 would block it for a service of one pod.
 */
export const podDisruptionBudget = (infs: Stored<InferenceService>, revision: string): PodDisruptionBudget => ({
  apiVersion: 'policy/v1',
  kind: 'PodDisruptionBudget',
  metadata: predictorMeta(infs, predictorNames(infs.metadata.name).revision(revision), revision),
  spec: {
    maxUnavailable: 1,
    selector: { matchLabels: revisionSelector(infs.metadata.name, revision) },
    unhealthyPodEvictionPolicy: 'AlwaysAllow',
  },
});

import type { Service } from '../api/builtin.ts';
import type { TrainingJob } from '../api/kinds.ts';
import type { Stored } from '../kube/wire.ts';
import { childNames, trainingChildMeta, trainingLabels } from './trainingJobChildren.ts';

/** Port of the rendezvous on pod 0: the one torchrun takes by default. */
export const RENDEZVOUS_PORT = 29500;

/**
 * Headless Service that gives each pod of an attempt a name. It publishes pods that are not ready and is made before
 * them: a first lookup that fails is cached by resolvers for half a minute, which is most of a rendezvous timeout.
 */
export const rendezvousService = (tj: Stored<TrainingJob>): Service => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: trainingChildMeta(tj, childNames(tj.metadata.name).rendezvous),
  spec: {
    clusterIP: 'None',
    publishNotReadyAddresses: true,
    selector: trainingLabels(tj.metadata.name, 'training'),
    ports: [{ name: 'rendezvous', port: RENDEZVOUS_PORT, targetPort: RENDEZVOUS_PORT, protocol: 'TCP' }],
  },
});

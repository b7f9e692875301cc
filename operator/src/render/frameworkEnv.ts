import { DIRECTORIES, FILES } from '@slipway/crds/contract';
import type { TrainingJob } from '../api/kinds.ts';
import type { Stored } from '../kube/wire.ts';
import { RENDEZVOUS_PORT } from './rendezvousService.ts';
import { childNames } from './trainingJobChildren.ts';

/**
 * Bytes that TF_CONFIG may have. Linux starts no program with one variable of 128 KiB (MAX_ARG_STRLEN), and each of a
 * thousand pods would carry it through etcd.
 */
const MOST_TF_CONFIG = 64 * 1024;
/** Port of each worker of tf.distribute: the one that its documentation and Kubeflow use. */
const TENSORFLOW_PORT = 2222;

/** Names of the pods of an attempt, by index, as DNS knows them. */
export function peers({ metadata, spec }: Stored<TrainingJob>, attempt: number): string[] {
  const names = childNames(metadata.name);
  return Array.from(
    { length: spec.nodes },
    (_, index) => `${names.attempt(attempt)}-${index}.${names.rendezvous}.${metadata.namespace}.svc`,
  );
}

/** No JSON where it would be too long: without it each worker would take itself for the only one, and train alone. */
function tfConfig(worker: readonly string[]): string {
  const config = `${JSON.stringify({ cluster: { worker } }).slice(0, -1)},"task":{"type":"worker","index":$(NODE_RANK)}}`;
  return config.length <= MOST_TF_CONFIG
    ? config
    : `The names of ${worker.length} pods take ${config.length} bytes, and TF_CONFIG may have ${MOST_TF_CONFIG}: train on fewer nodes, under a shorter name, or set TF_CONFIG in spec.env.`;
}

/**
 * How TensorFlow and JAX find their peers: tf.distribute.MultiWorkerMirroredStrategy by TF_CONFIG, of workers alone, and
 * jax.distributed.initialize() by JAX_*. Both count one process a pod. `$(NODE_RANK)` is filled in by the kubelet from
 * the variable of that name, which must stand before. One pod has no peers, and gets none of it.
 */
function rendezvous(tj: Stored<TrainingJob>, attempt: number): Record<string, string> {
  const hosts = peers(tj, attempt);
  if (hosts.length === 1) return {};
  const worker = hosts.map((host) => `${host}:${TENSORFLOW_PORT}`);
  return {
    TF_CONFIG: tfConfig(worker),
    JAX_COORDINATOR_ADDRESS: `${hosts[0]}:${RENDEZVOUS_PORT}`,
    JAX_NUM_PROCESSES: String(hosts.length),
    JAX_PROCESS_ID: '$(NODE_RANK)',
  };
}

/**
 * What frameworks other than plain torch look for. The user's own value of any of them wins: none of these names is
 * ours. TORCHELASTIC_ERROR_FILE is where torchrun leaves the exception of the rank that failed first.
 */
export const frameworkEnv = (tj: Stored<TrainingJob>, attempt: number): Record<string, string> => ({
  ...rendezvous(tj, attempt),
  TORCHELASTIC_ERROR_FILE: `${DIRECTORIES.status}/${FILES.error}`,
});

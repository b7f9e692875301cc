import { DIRECTORIES, ENV, FILES, KUBEFLOW, PORTS } from '@slipway/crds/contract';
import type { TrainingJob } from '../api/kinds.ts';
import type { Stored } from '../kube/wire.ts';
import type { Container } from './pod.ts';
import type { RuntimeImage } from './runtimeImage.ts';

export const AGENT_CONTAINER = 'agent';

type EnvVar = NonNullable<Container['env']>[number];

/**
 * A sidecar beside the trainer (restartPolicy Always among the init containers): it tells the operator how far training
 * is, takes progress POSTs from the trainer, and tells the other pods whom pod 0 still waits for.
 */
export const agentContainer = ({ image, pullPolicy }: RuntimeImage): Container => ({
  name: AGENT_CONTAINER,
  image,
  imagePullPolicy: pullPolicy,
  restartPolicy: 'Always',
  command: ['node', '/app/agent.mjs'],
  env: [
    { name: ENV.statusDir, value: DIRECTORIES.status },
    { name: ENV.adminPort, value: String(PORTS.admin) },
    { name: ENV.adminTokenFile, value: `${DIRECTORIES.admin}/${FILES.token}` },
  ],
  ports: [{ name: 'admin', containerPort: PORTS.admin, protocol: 'TCP' }],
  resources: { requests: { cpu: '10m', memory: '64Mi' }, limits: { memory: '128Mi' } },
  volumeMounts: [
    // Writable, as the agent leaves there the token that the trainer posts with.
    { name: 'status', mountPath: DIRECTORIES.status },
    { name: 'admin', mountPath: DIRECTORIES.admin, readOnly: true },
  ],
});

/**
 * What makes Hugging Face's Trainer, and whatever else speaks Kubeflow's progress protocol, report to the agent. A
 * variable that the user sets is left to the user: a list with the same name twice is refused by the API server.
 */
export function progressEnv({ metadata, spec }: Stored<TrainingJob>): EnvVar[] {
  const taken = new Set((spec.env ?? []).map(({ name }) => name));
  const path = KUBEFLOW.path(metadata.namespace ?? '', metadata.name);
  return [
    { name: KUBEFLOW.url, value: `http://127.0.0.1:${PORTS.admin}${path}` },
    { name: KUBEFLOW.token, value: `${DIRECTORIES.status}/${FILES.postToken}` },
  ].filter(({ name }) => !taken.has(name));
}

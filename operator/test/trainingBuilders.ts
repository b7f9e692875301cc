import type { TrainingJobSpec, TrainingJobStatus } from '@slipway/crds';
import { API_VERSION, LABELS } from '@slipway/crds/contract';
import type { Job, Pod } from '../src/api/builtin.ts';
import type { ModelVersion, TrainingJob } from '../src/api/kinds.ts';
import type { Stored } from '../src/kube/wire.ts';

type JobCondition = NonNullable<NonNullable<Job['status']>['conditions']>[number];
type ContainerStatus = NonNullable<NonNullable<Pod['status']>['containerStatuses']>[number];

export const DIGEST = `sha256:${'a'.repeat(64)}`;
export const OTHER_DIGEST = `sha256:${'b'.repeat(64)}`;
export const AT = '2026-01-01T00:00:00Z';

/** A time so many seconds after AT. */
export const after = (seconds: number): Date => new Date(Date.parse(AT) + seconds * 1000);

/** As the API server fills it in. */
export const FAILURE: TrainingJobSpec['failure'] = {
  restarts: 0,
  onDisruption: 'Restart',
  disruptions: 20,
  startTimeout: '10m',
  excludeNodes: '24h',
};

const spec: TrainingJobSpec = {
  model: { name: 'flights', version: 'NextMinor' },
  image: 'example.com/flights-train:1',
  nodes: 1,
  processesPerNode: 'Auto',
  workspace: { claim: { size: '1Gi' } },
  publish: { store: 'pvc://models' },
  failure: FAILURE,
};

/** A TrainingJob as the server stores it: defaults filled in. */
export const trainingJob = (
  overrides: Partial<TrainingJobSpec> = {},
  status?: TrainingJobStatus,
): Stored<TrainingJob> => ({
  apiVersion: API_VERSION,
  kind: 'TrainingJob',
  metadata: { name: 'nightly', namespace: 'ml', uid: 'tj-uid', resourceVersion: '1', generation: 1 },
  spec: { ...spec, ...overrides },
  ...(status === undefined ? {} : { status }),
});

/** A Job of the TrainingJob above; `end` makes it ended. */
export const childJob = (name: string, end?: 'Complete' | 'Failed', at = AT): Stored<Job> => ({
  apiVersion: 'batch/v1',
  kind: 'Job',
  metadata: {
    name,
    namespace: 'ml',
    uid: `${name}-uid`,
    resourceVersion: '1',
    creationTimestamp: AT,
    ownerReferences: [{ apiVersion: API_VERSION, kind: 'TrainingJob', name: 'nightly', uid: 'tj-uid' }],
  },
  ...(end === undefined ? {} : { status: { conditions: [endCondition(end, at)] } }),
});

const endCondition = (type: 'Complete' | 'Failed', at: string): JobCondition => ({
  type,
  status: 'True',
  reason: type === 'Failed' ? 'PodFailurePolicy' : 'CompletionsReached',
  message: 'as the Job controller says',
  lastTransitionTime: at,
});

export interface PodFacts {
  readonly index?: number;
  readonly phase?: 'Pending' | 'Running' | 'Succeeded' | 'Failed';
  readonly container?: string;
  readonly exitCode?: number;
  readonly reason?: string;
  readonly message?: string;
  readonly finishedAt?: string;
  /** When the container began to run. */
  readonly startedAt?: string;
  readonly startTime?: string;
  readonly waiting?: { readonly reason: string; readonly message?: string };
  readonly unschedulable?: string;
  readonly disrupted?: string;
  readonly disruptedBy?: string;
  /** status.reason and status.message of the pod, as a kubelet that ends it writes them. */
  readonly podReason?: string;
  readonly statusMessage?: string;
  readonly node?: string;
  /** metadata.deletionTimestamp */
  readonly deleted?: string;
  /** false: the node controller marked the pod not ready, whatever its containers are. */
  readonly heard?: boolean;
  readonly imageID?: string;
  readonly podIP?: string;
}

function containerState({
  exitCode,
  reason,
  message,
  finishedAt = AT,
  startedAt = AT,
  waiting,
}: PodFacts): ContainerStatus['state'] {
  if (waiting !== undefined) return { waiting };
  if (exitCode === undefined) return { running: { startedAt } };
  return {
    terminated: {
      exitCode,
      finishedAt,
      ...(reason === undefined ? {} : { reason }),
      ...(message === undefined ? {} : { message }),
    },
  };
}

const conditionsOf = ({ unschedulable, disrupted, disruptedBy = 'EvictionByEvictionAPI' }: PodFacts) => [
  ...(unschedulable === undefined
    ? []
    : [{ type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message: unschedulable }]),
  ...(disrupted === undefined
    ? []
    : [{ type: 'DisruptionTarget', status: 'True', reason: disruptedBy, message: disrupted }]),
];

/** The status of a pod in the words of a kubelet. */
export function podStatus(facts: PodFacts): NonNullable<Pod['status']> {
  const { phase = 'Running', container = 'train', startTime, imageID = '' } = facts;
  const quiet = facts.unschedulable !== undefined || (phase === 'Pending' && facts.waiting === undefined);
  const status: ContainerStatus = {
    name: container,
    image: 'resolved',
    imageID,
    ready: phase === 'Running',
    restartCount: 0,
    ...(quiet ? {} : { state: containerState(facts) ?? {} }),
  };
  return {
    phase,
    conditions: [
      ...conditionsOf(facts),
      { type: 'Ready', status: phase === 'Running' && facts.heard !== false ? 'True' : 'False' },
    ],
    ...(facts.podReason === undefined ? {} : { reason: facts.podReason }),
    ...(facts.statusMessage === undefined ? {} : { message: facts.statusMessage }),
    ...(startTime === undefined ? {} : { startTime }),
    ...(facts.podIP === undefined ? {} : { podIP: facts.podIP, podIPs: [{ ip: facts.podIP }] }),
    ...(quiet ? {} : container === 'prepare' ? { initContainerStatuses: [status] } : { containerStatuses: [status] }),
  };
}

/** A pod of a Job, by index. */
export const pod = (facts: PodFacts = {}): Stored<Pod> => {
  const { index = 0, container = 'train' } = facts;
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name: `nightly-a0-${index}`,
      namespace: 'ml',
      uid: `pod-${index}`,
      resourceVersion: '1',
      annotations: { 'batch.kubernetes.io/job-completion-index': String(index) },
      labels: { [LABELS.managedBy]: 'slipway' },
      ...(facts.deleted === undefined ? {} : { deletionTimestamp: facts.deleted }),
    },
    spec: {
      ...(facts.node === undefined ? {} : { nodeName: facts.node }),
      containers: [{ name: container, image: 'example.com/flights-train:1' }],
    },
    status: podStatus(facts),
  };
};

export const modelVersion = (digest = DIGEST, overrides: Partial<ModelVersion['spec']> = {}): Stored<ModelVersion> => ({
  apiVersion: API_VERSION,
  kind: 'ModelVersion',
  metadata: { name: 'flights-0.1.0', namespace: 'ml', uid: 'mv-uid', resourceVersion: '1', generation: 1 },
  spec: {
    model: 'flights',
    version: '0.1.0',
    artifact: { uri: `pvc://models/flights/${digest.replace(':', '-')}`, digest, format: 'ONNX' },
    ...overrides,
  },
});

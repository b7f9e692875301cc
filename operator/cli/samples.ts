import { API_VERSION } from '@slipway/crds/contract';
import type { InferenceService, ModelVersion, TrainingJob } from '../src/api/kinds.ts';

const digest = (letter: string): string => `sha256:${letter.repeat(64)}`;
const at = (clock: string): string => `2026-03-01T${clock}Z`;

/** Objects as the operator leaves them, for tests of the commands. The time is 12:00:00 on 1 March 2026. */
export const NOON = new Date(at('12:00:00'));

const ready = {
  type: 'Ready',
  status: 'True' as const,
  reason: 'Serving',
  message: 'Version 1.0.0 answers.',
  observedGeneration: 4,
  lastTransitionTime: at('10:00:00'),
};
const rolloutPending = {
  type: 'RolloutComplete',
  status: 'False' as const,
  reason: 'Progressing',
  message: 'Version 1.1.0 gets 25 % of the traffic.',
  observedGeneration: 4,
  lastTransitionTime: at('11:58:00'),
};

export const shifting: InferenceService = {
  apiVersion: API_VERSION,
  kind: 'InferenceService',
  metadata: { name: 'flights', namespace: 'demo', generation: 4, resourceVersion: '99' },
  spec: {
    model: { name: 'flights', version: '1.1.0' },
    predictor: { replicas: { min: 2 } },
    traffic: { provider: 'Gateway', pathPrefix: '/' },
    rollout: {
      steps: [{ weight: 5 }, { weight: 25 }, { approval: true }, { weight: 100 }],
      guards: [{ name: 'errors', errors: { max: '1%' } }],
      bake: '0s',
      confidence: { fail: '0.999', pass: '0.95' },
      progressDeadline: '10m',
      surge: 'Auto',
      onFail: 'RollBack',
      onBlind: 'Hold',
      onInconclusive: 'Hold',
      patience: '30m',
    },
  },
  status: {
    observedGeneration: 4,
    conditions: [ready, rolloutPending],
    rolloutID: 'r-77aa0',
    url: 'http://flights.example.com/',
    stable: { version: '1.0.0', digest: digest('a'), revision: '8f2c1' },
    candidate: {
      version: '1.1.0',
      digest: digest('b'),
      revision: '77aa0',
      phase: 'Shifting',
      step: 1,
      stepStartedAt: at('11:59:48'),
      startedAt: at('11:58:00'),
      weight: 25,
      guards: [
        { name: 'errors', verdict: 'NeedMore', rate: '0%', low: '0%', high: '3.1%', limit: '1%', n: 120, eta: '14s' },
      ],
    },
    traffic: {
      desired: { stable: 7500, candidate: 2500 },
      programmed: { stable: 7500, candidate: 2500 },
      observed: { stable: 7569, candidate: 2431 },
    },
    history: [
      {
        from: '5%',
        to: '25%',
        at: at('11:59:48'),
        reason: 'GuardsPassed',
        message: 'errors 0 of 412',
        previousHash: '',
        hash: 'a1'.repeat(32),
      },
    ],
    replicas: 2,
    readyReplicas: 2,
  },
};

export const awaitingApproval: InferenceService = {
  ...shifting,
  status: {
    ...shifting.status,
    candidate: { ...shifting.status?.candidate, step: 2, awaitingApproval: true },
  } as NonNullable<InferenceService['status']>,
};

/** At a step that two people must approve, after these did. */
export function awaitingTwo(approvers: readonly string[]): InferenceService {
  const { spec, status } = awaitingApproval;
  const { rolloutID = '', candidate } = status ?? {};
  const steps = spec.rollout.steps.map((step, i) => (i === candidate?.step ? { approval: true, people: 2 } : step));
  const approvals = approvers.map((by) => ({
    rolloutID,
    step: candidate?.step ?? 0,
    digest: candidate?.digest ?? '',
    by,
    at: at('11:59:55'),
  }));
  return { ...awaitingApproval, spec: { ...spec, rollout: { ...spec.rollout, steps }, approvals } };
}

const { candidate: _candidate, traffic: _traffic, ...withoutCandidate } = shifting.status ?? {};
export const rolledBack: InferenceService = {
  ...shifting,
  status: {
    ...withoutCandidate,
    conditions: [
      ready,
      {
        type: 'Stalled',
        status: 'True',
        reason: 'RolledBack',
        message: 'Version 1.1.0 was rolled back.',
        observedGeneration: 4,
        lastTransitionTime: at('11:59:50'),
      },
      { ...rolloutPending, reason: 'RolledBack', message: 'Version 1.1.0 was rolled back.' },
    ],
    rejected: [
      {
        revision: '77aa0',
        version: '1.1.0',
        digest: digest('b'),
        reason: 'GuardFailed',
        message: 'errors: 21 of 90 requests failed, at least 9.31% at 99.9% confidence, over the limit of 1%.',
        at: at('11:59:50'),
      },
    ],
    history: [],
  },
};

export const training: TrainingJob = {
  apiVersion: API_VERSION,
  kind: 'TrainingJob',
  metadata: { name: 'flights-v1', namespace: 'demo', generation: 1 },
  spec: {
    model: { name: 'flights', version: 'NextMinor' },
    image: 'slipway.dev/trainer:dev',
    nodes: 1,
    processesPerNode: 'Auto',
    workspace: { claim: { size: '1Gi' } },
    publish: { store: 'pvc://models' },
    failure: { restarts: 0, onDisruption: 'Restart', disruptions: 20, startTimeout: '10m', excludeNodes: '24h' },
  },
  status: {
    observedGeneration: 1,
    conditions: [],
    phase: 'Running',
    version: '1.0.0',
    attempt: 0,
    restarts: 0,
    startedAt: at('11:59:30'),
    progress: { step: 40, total: 100, percent: '40%', epoch: 2, eta: '45s', metrics: { loss: '0.412' } },
    nodes: { active: 1, ready: 1, failed: 0 },
  },
};

export const gated: ModelVersion = {
  apiVersion: API_VERSION,
  kind: 'ModelVersion',
  metadata: { name: 'flights-1.0.0', namespace: 'demo', generation: 1 },
  spec: {
    model: 'flights',
    version: '1.0.0',
    artifact: { uri: 'pvc://models/flights/sha256-aaaa', digest: digest('a'), format: 'ONNX' },
    provenance: { trainingJob: 'flights-v1' },
  },
  status: {
    observedGeneration: 1,
    conditions: [{ ...ready, reason: 'GatesPassed', message: 'All gates pass.', observedGeneration: 1 }],
    signature: {
      inputs: [{ name: 'features', datatype: 'FP32', shape: [-1, 14] }],
      outputs: [{ name: 'probability', datatype: 'FP32', shape: [-1, 1] }],
    },
    gates: [
      {
        name: 'accuracy',
        verdict: 'Pass',
        value: '0.8123',
        low: '0.8011',
        high: '0.8230',
        limit: '0.75',
        n: 4000,
        message: 'accuracy is at least 0.8011.',
      },
    ],
    files: 6,
    bytes: 41_232,
    servedBy: ['flights'],
  },
};

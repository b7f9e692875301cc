import type { RetrainSpec } from '@slipway/crds';
import { ANNOTATIONS } from '@slipway/crds/contract';
import type { InferenceService, ModelVersion, TrainingJob } from '../src/api/kinds.ts';
import { askedBy, type SentEvent } from '../src/domain/retrain/event.ts';
import type { RetrainStatus, RetrainWorld, Run } from '../src/domain/retrain/world.ts';
import type { Stored } from '../src/kube/wire.ts';
import { after, DIGEST, modelVersion, trainingJob } from './trainingBuilders.ts';

export const NIGHTLY: RetrainSpec = { from: 'nightly', timeZone: 'UTC', cooldown: '24h', rejections: 3 };
export const DAY = 86_400;

export interface Facts {
  readonly spec?: Partial<RetrainSpec> | null;
  readonly seconds?: number;
  readonly asked?: string;
  /** Id of a CloudEvent that asks. */
  readonly event?: string;
  readonly drift?: {
    readonly measure: string;
    readonly name?: string;
    readonly since?: string;
    readonly version?: string;
  };
  readonly action?: 'Alert' | 'Retrain';
  readonly retraining?: RetrainStatus;
  readonly stable?: string;
  readonly rejected?: string;
  readonly follows?: boolean;
  readonly pattern?: TrainingJob | null;
  readonly jobs?: readonly TrainingJob[];
  readonly versions?: readonly ModelVersion[];
  readonly current?: ModelVersion;
}

export const condition = (
  type: string,
  status: 'True' | 'False',
  message = 'as it is said',
  since = '2026-01-01T00:00:00Z',
) => ({
  type,
  status,
  reason: 'R',
  message,
  observedGeneration: 1,
  lastTransitionTime: since,
});

export const sent = (id: string): SentEvent => ({ id, source: '//warehouse', type: 'partition.ready', by: 'ingest' });

export const service = ({
  spec = {},
  asked,
  event,
  drift,
  action = 'Retrain',
  retraining,
  stable,
  rejected,
  follows = true,
}: Facts) =>
  ({
    apiVersion: 'slipway.dev/v1alpha1',
    kind: 'InferenceService',
    metadata: {
      name: 'flights',
      namespace: 'ml',
      uid: 'infs-uid',
      resourceVersion: '1',
      generation: 1,
      annotations: {
        ...(asked === undefined ? {} : { [ANNOTATIONS.retrain]: asked }),
        ...(event === undefined ? {} : { [ANNOTATIONS.retrainEvent]: askedBy(sent(event), undefined) as string }),
      },
    },
    spec: {
      model: follows ? { name: 'flights', follow: 'Production' } : { name: 'flights', version: '0.1.0' },
      drift: { action },
      ...(spec === null ? {} : { retrain: { ...NIGHTLY, ...spec } }),
    },
    status: {
      conditions: drift === undefined ? [] : [condition('DriftDetected', 'True', '', drift.since)],
      ...(retraining === undefined ? {} : { retraining }),
      ...(stable === undefined ? {} : { stable: { version: stable, digest: DIGEST, revision: 'r' } }),
      ...(rejected === undefined ? {} : { rejected: [{ version: rejected, digest: DIGEST }] }),
      ...(drift === undefined
        ? {}
        : {
            drift: {
              version: drift.version ?? '0.1.0',
              worst: [
                { name: drift.name ?? 'distance', measure: drift.measure, value: '0.4', limit: '0.2', drifted: true },
              ],
            },
          }),
    },
  }) as unknown as Stored<InferenceService>;

export const world = (facts: Facts): RetrainWorld => ({
  infs: service(facts),
  now: after(facts.seconds ?? 0),
  pattern: facts.pattern === null ? undefined : ((facts.pattern ?? trainingJob()) as Stored<TrainingJob>),
  trainingJobs: new Map((facts.jobs ?? []).map((job) => [job.metadata.name, job as Stored<TrainingJob>])),
  modelVersions: new Map((facts.versions ?? []).map((version) => [version.metadata.name, version])),
  current: facts.current ?? facts.versions?.find(({ status }) => status?.stage === 'Production'),
  nameOf: (number) => `flights-r${number}`,
});

export const job = (name: string, status: TrainingJob['status']): TrainingJob => {
  const made = trainingJob({}, status);
  return { ...made, metadata: { ...made.metadata, name } };
};
export const version = (...conditions: ReturnType<typeof condition>[]): ModelVersion => ({
  ...modelVersion(),
  metadata: { name: 'flights-0.2.0', namespace: 'ml' },
  spec: { ...modelVersion().spec, version: '0.2.0' },
  status: { conditions },
});
/** As the registry leaves a version that is asked to be in `stage`, and got there. */
export const inStage = (stage: 'Staging' | 'Production', made: ModelVersion): ModelVersion => ({
  ...made,
  spec: { ...made.spec, stage },
  status: { ...made.status, stage },
});
export const madeAt = (at: Date, made: ModelVersion): ModelVersion => ({
  ...made,
  metadata: { ...made.metadata, creationTimestamp: at.toISOString() },
  spec: { ...made.spec, provenance: { trainingJob: 'flights-r1' } },
});
export const named = (name: string, made: ModelVersion): ModelVersion => ({
  ...made,
  metadata: { ...made.metadata, name },
});
export const run = (facts: Partial<Run> = {}): Run => ({
  trainingJob: 'flights-r1',
  startedAt: '2026-01-01T00:00:00Z',
  trigger: 'Drift',
  outcome: 'Running',
  acceleratorSeconds: 0,
  ...facts,
});
export const began = (facts: Partial<RetrainStatus> = {}): RetrainStatus => ({
  number: 1,
  rejections: 0,
  startedAt: '2026-01-01T00:00:00Z',
  runs: [run({ outcome: 'Promoted' })],
  ...facts,
});

export const DRIFT = { measure: 'psi' };

import type { PublishReport } from '@slipway/crds';
import { ANNOTATIONS, API_VERSION, LABELS } from '@slipway/crds/contract';
import type { ModelVersion, TrainingJob } from '../api/kinds.ts';
import type { Stored } from '../kube/wire.ts';
import { labelValue } from './childName.ts';
import { compact } from './compact.ts';

export type Artifact = Pick<PublishReport, 'uri' | 'digest'>;
type Provenance = NonNullable<ModelVersion['spec']['provenance']>;

/** Facts about the run that its spec does not hold. */
export interface TrainingRun {
  readonly version: string;
  readonly artifact: Artifact;
  readonly image: string;
  readonly startedAt: string | undefined;
  readonly finishedAt: string | undefined;
}

/** Where the data lay, and what it hashed to: as the pods found it, else as the spec promises. */
const datasets = ({ spec, status }: TrainingJob): Provenance['datasets'] =>
  spec.datasets?.map(({ name, uri, digest }) => {
    const found = status?.datasets?.find((dataset) => dataset.name === name)?.digest ?? digest;
    return found === undefined ? { name, uri } : { name, uri, digest: found };
  });

const acceleratorText = ({ accelerator }: TrainingJob['spec']): string | undefined =>
  accelerator && `${accelerator.count} x ${accelerator.claim?.deviceClass ?? accelerator.resource}`;

/** Annotations are anybody's to write: what is too long for the field is cut, so that it can't keep a model from its version. */
const told = ({ metadata }: TrainingJob, key: string, longest: number): string | undefined =>
  metadata.annotations?.[key]?.slice(0, longest);

const provenance = (tj: Stored<TrainingJob>, run: TrainingRun): Provenance => {
  const { metadata, spec, status } = tj;
  return compact<Provenance>({
    trainingJob: metadata.name,
    trainingJobUid: metadata.uid,
    source: spec.source,
    image: run.image,
    parameters: spec.parameters,
    datasets: datasets(tj),
    parent: told(tj, ANNOTATIONS.parent, 253),
    trigger: told(tj, ANNOTATIONS.trigger, 512),
    attempt: status?.attempt,
    nodes: spec.nodes,
    accelerator: acceleratorText(spec),
    startedAt: run.startedAt,
    finishedAt: run.finishedAt,
  });
};

/** A sweep that is deleted takes its trials along: what is left to know its version by is this. */
const sweepLabel = ({ metadata }: TrainingJob): Record<string, string> => {
  const sweep = metadata.labels?.[LABELS.sweep];
  return sweep === undefined ? {} : { [LABELS.sweep]: sweep };
};

/** The version that a finished job makes. It has no owner: deleting the job must not take a serving model with it. */
export const trainedModelVersion = (tj: Stored<TrainingJob>, run: TrainingRun): ModelVersion => ({
  apiVersion: API_VERSION,
  kind: 'ModelVersion',
  metadata: {
    name: `${tj.spec.model.name}-${run.version}`,
    namespace: tj.metadata.namespace ?? '',
    labels: {
      [LABELS.model]: tj.spec.model.name,
      [LABELS.trainingJob]: labelValue(tj.metadata.name),
      ...sweepLabel(tj),
    },
    annotations: { [ANNOTATIONS.digest]: run.artifact.digest },
  },
  spec: compact<ModelVersion['spec']>({
    model: tj.spec.model.name,
    version: run.version,
    artifact: compact<ModelVersion['spec']['artifact']>({
      uri: run.artifact.uri,
      digest: run.artifact.digest,
      format: 'ONNX',
      secretRef: tj.spec.publish.secretRef,
    }),
    provenance: provenance(tj, run),
    gates: tj.spec.gates,
    stage: tj.spec.promotion?.stage,
    approval: tj.spec.promotion?.approval,
    retention: tj.spec.publish.retention,
  }),
});

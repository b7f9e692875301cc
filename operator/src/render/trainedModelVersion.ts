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

const provenance = ({ metadata, spec }: Stored<TrainingJob>, run: TrainingRun): Provenance =>
  compact<Provenance>({
    trainingJob: metadata.name,
    trainingJobUid: metadata.uid,
    source: spec.source,
    image: run.image,
    parameters: spec.parameters,
    startedAt: run.startedAt,
    finishedAt: run.finishedAt,
  });

/** The version that a finished job makes. It has no owner: deleting the job must not take a serving model with it. */
export const trainedModelVersion = (tj: Stored<TrainingJob>, run: TrainingRun): ModelVersion => ({
  apiVersion: API_VERSION,
  kind: 'ModelVersion',
  metadata: {
    name: `${tj.spec.model.name}-${run.version}`,
    namespace: tj.metadata.namespace ?? '',
    labels: { [LABELS.model]: tj.spec.model.name, [LABELS.trainingJob]: labelValue(tj.metadata.name) },
    annotations: { [ANNOTATIONS.digest]: run.artifact.digest },
  },
  spec: compact<ModelVersion['spec']>({
    model: tj.spec.model.name,
    version: run.version,
    artifact: { uri: run.artifact.uri, digest: run.artifact.digest, format: 'ONNX' },
    provenance: provenance(tj, run),
    gates: tj.spec.gates,
  }),
});

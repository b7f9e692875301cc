import { ANNOTATIONS, API_VERSION, LABELS } from '@slipway/crds/contract';
import type { InferenceService, TrainingJob } from '../../api/kinds.ts';
import type { Stored } from '../../kube/wire.ts';

export interface Retraining {
  readonly infs: Stored<InferenceService>;
  readonly pattern: TrainingJob;
  readonly name: string;
  readonly why: string;
}

const LONGEST_WHY = 512;
const LABEL = 63;

/**
 * A copy of the pattern that makes the next minor version. Digests of data sets are left out, as they name the data of
 * then: what is found now is recorded in the provenance. It belongs to the service, and goes with it; the versions that
 * it makes stay.
 */
export function retrainingJob({ infs, pattern, name, why }: Retraining): TrainingJob {
  const { apiVersion, kind, metadata, spec, status } = infs;
  const { model } = spec;
  const { suspend: _kept, datasets, ...copied } = pattern.spec;
  const parent = status?.stable && `${model.name}-${status.stable.version}`;
  return {
    apiVersion: API_VERSION,
    kind: 'TrainingJob',
    metadata: {
      name,
      namespace: metadata.namespace ?? '',
      labels: { [LABELS.managedBy]: 'slipway', [LABELS.inferenceService]: metadata.name.slice(0, LABEL) },
      annotations: {
        [ANNOTATIONS.trigger]: why.slice(0, LONGEST_WHY),
        ...(parent === undefined ? {} : { [ANNOTATIONS.parent]: parent }),
      },
      ownerReferences: [{ apiVersion, kind, name: metadata.name, uid: metadata.uid, controller: true }],
    },
    spec: {
      ...copied,
      model: { ...copied.model, version: 'NextMinor' },
      ...(datasets && { datasets: datasets.map(({ digest: _then, ...dataset }) => ({ ...dataset, unpinned: true })) }),
    },
  };
}

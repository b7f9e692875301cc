import { FILES } from '@slipway/crds/contract';
import type { ConfigMap } from '../api/builtin.ts';
import type { TrainingJob } from '../api/kinds.ts';
import type { Stored } from '../kube/wire.ts';
import { childNames, trainingChildMeta } from './trainingJobChildren.ts';

/** The parameters of a run as parameters.json, for trainers that prefer a file to variables. Keys are sorted. */
export const parametersConfigMap = (tj: Stored<TrainingJob>): ConfigMap => {
  const sorted = Object.entries(tj.spec.parameters ?? {}).sort(([a], [b]) => (a < b ? -1 : 1));
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: trainingChildMeta(tj, childNames(tj.metadata.name).parameters),
    data: { [FILES.parameters]: `${JSON.stringify(Object.fromEntries(sorted), null, 2)}\n` },
  };
};

import { API_VERSION } from '@slipway/crds/contract';
import type { InferenceService, ModelVersion, TrainingJob } from '@slipway/operator/api/kinds.ts';
import type { KubeObject } from '@slipway/operator/kube/wire.ts';

/** A manifest as a user writes it: the server fills the defaults in, so the spec is not yet of the full type. */
const manifest = <T extends KubeObject>(kind: T['kind'], namespace: string, name: string, spec: unknown): T =>
  ({ apiVersion: API_VERSION, kind, metadata: { name, namespace }, spec }) as unknown as T;

export const TRAINER_IMAGE = 'slipway.dev/trainer:dev';
export const RUNTIME_IMAGE = 'slipway.dev/runtime:dev';
export const CLAIM = 'models';

/** A TrainingJob of the flights trainer that learns little and quickly. `over` replaces fields of the spec. */
export const tinyTraining = (namespace: string, name: string, over: object = {}): TrainingJob =>
  manifest('TrainingJob', namespace, name, {
    model: { name: 'flights' },
    image: TRAINER_IMAGE,
    parameters: { epochs: '1', rows: '2000', evaluationRows: '500' },
    resources: { requests: { cpu: '100m', memory: '256Mi' } },
    publish: { store: `pvc://${CLAIM}` },
    ...over,
  });

export const modelVersion = (
  namespace: string,
  model: string,
  version: string,
  artifact: { uri: string; digest: string },
): ModelVersion => manifest('ModelVersion', namespace, `${model}-${version}`, { model, version, artifact });

/** Another version over an artifact that is already in the store. */
export function versionOver(of: ModelVersion, version: string, digest = of.spec.artifact.digest): ModelVersion {
  const { uri } = of.spec.artifact;
  return modelVersion(of.metadata.namespace ?? '', of.spec.model, version, { uri, digest });
}

/** A service of one small pod that answers on a host of its own. */
export const smallService = (of: ModelVersion, name: string, rollout: object): InferenceService =>
  manifest('InferenceService', of.metadata.namespace ?? '', name, {
    model: { name: of.spec.model, version: of.spec.version },
    predictor: { resources: { requests: { cpu: '50m', memory: '128Mi' } } },
    traffic: { hostnames: [`${name}.example.com`] },
    rollout,
  });

export const claim = (namespace: string): KubeObject & { spec: object } => ({
  apiVersion: 'v1',
  kind: 'PersistentVolumeClaim',
  metadata: { name: CLAIM, namespace },
  spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
});

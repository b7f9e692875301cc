import type {
  InferenceServiceSpec,
  InferenceServiceStatus,
  ModelVersionSpec,
  ModelVersionStatus,
  TrainingJobSpec,
  TrainingJobStatus,
} from '@slipway/crds';
import { GROUP, VERSION } from '@slipway/crds/contract';
import { resource } from '../kube/resource.ts';
import type { KubeObject } from '../kube/wire.ts';

export interface TrainingJob extends KubeObject {
  spec: TrainingJobSpec;
  status?: TrainingJobStatus;
}
export interface ModelVersion extends KubeObject {
  spec: ModelVersionSpec;
  status?: ModelVersionStatus;
}
export interface InferenceService extends KubeObject {
  spec: InferenceServiceSpec;
  status?: InferenceServiceStatus;
}

export const trainingJobs = resource<TrainingJob>(GROUP, VERSION, 'TrainingJob', 'trainingjobs');
export const modelVersions = resource<ModelVersion>(GROUP, VERSION, 'ModelVersion', 'modelversions');
export const inferenceServices = resource<InferenceService>(GROUP, VERSION, 'InferenceService', 'inferenceservices');

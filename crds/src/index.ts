export type { Condition } from './common/condition.ts';
export type { Accelerator, EnvVar, Placement, Resources } from './common/pods.ts';
export type * from './contract.ts';
export { artifactDigest, digestDirectory, type ManifestEntry } from './manifest.ts';
export type { Gate } from './v1alpha1/gates.ts';
export type {
  Guard,
  InferenceServiceSpec,
  InferenceServiceStatus,
  RolloutPhase,
  RolloutStep,
} from './v1alpha1/inferenceservice.ts';
export { ROLLOUT_PHASES } from './v1alpha1/inferenceservice.ts';
export type { ModelVersionSpec, ModelVersionStatus } from './v1alpha1/modelversion.ts';
export type { TrainingJobSpec, TrainingJobStatus } from './v1alpha1/trainingjob.ts';

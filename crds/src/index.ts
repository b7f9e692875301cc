export type { Condition } from './common/condition.ts';
export type { Accelerator, EnvVar, GangPlacement, Placement, Resources } from './common/pods.ts';
export type * from './contract.ts';
export { artifactDigest, digestDirectory, type ManifestEntry } from './manifest.ts';
export { REDACTED, redacted } from './redact.ts';
export { decodeReport, encodeReport, type Report, TERMINATION_MESSAGE_BYTES } from './report.ts';
export type { DriftSpec } from './v1alpha1/drift.ts';
export { GATE_METRICS, type Gate, gateSchema } from './v1alpha1/gates.ts';
export { type GuardKind, guardKindOf } from './v1alpha1/guards.ts';
export {
  type InferenceServiceSpec,
  inferenceServiceSpecSchema,
  NOTIFICATIONS,
  type NotificationType,
} from './v1alpha1/inferenceservice.ts';
export {
  type DriftStatus,
  GUARD_VERDICTS,
  type GuardVerdict,
  type InferenceServiceStatus,
  ROLLOUT_PHASES,
  type RolloutPhase,
} from './v1alpha1/inferenceserviceStatus.ts';
export {
  type ModelVersionSpec,
  type ModelVersionStatus,
  modelVersionSpecSchema,
  VERSION_NOTIFICATIONS,
  type VersionNotification,
} from './v1alpha1/modelversion.ts';
export { RETRAIN_TRIGGERS, type RetrainSpec } from './v1alpha1/retrain.ts';
export { type Guard, type RolloutStep, WEEKDAYS } from './v1alpha1/rollout.ts';
export { STAGES, type Stage } from './v1alpha1/stages.ts';
export { type TrainingJobSpec, trainingJobSpecSchema } from './v1alpha1/trainingjob.ts';
export {
  FAILURE_CLASSES,
  type FailureClass,
  TRAINING_PHASES,
  type TrainingJobStatus,
} from './v1alpha1/trainingjobStatus.ts';

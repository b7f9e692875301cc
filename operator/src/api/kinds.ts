import type {
  InferenceServiceSpec,
  InferenceServiceStatus,
  ModelVersionSpec,
  ModelVersionStatus,
  TrainingJobSpec,
  TrainingJobStatus,
} from '@slipway/crds';
import { GROUP, VERSION } from '@slipway/crds/contract';
import { toStructural } from '@slipway/crds/generate/structural.ts';
import { KINDS } from '@slipway/crds/v1alpha1/kinds.ts';
import { defaultsOf, type Fill } from '../definitions/defaults.ts';
import { type Resource, resource } from '../kube/resource.ts';
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

/**
 * The API server fills in defaults, those that its own definition of the kind has: one from an earlier release leaves a
 * budget undefined, and every comparison with it false. So they are filled in again as each object is read.
 */
function ours<T extends TrainingJob | ModelVersion | InferenceService>(kind: string, plural: string): Resource<T> {
  let fill: Fill | undefined;
  const whole = (object: T): T => {
    const spec = KINDS.find((one) => one.kind === kind)?.spec;
    fill ??= (spec && defaultsOf(toStructural(spec, 'spec'))) ?? ((value) => value);
    const filled = fill(object.spec);
    return filled === object.spec ? object : { ...object, spec: filled as T['spec'] };
  };
  return { ...resource<T>(GROUP, VERSION, kind, plural), whole };
}

export const trainingJobs = ours<TrainingJob>('TrainingJob', 'trainingjobs');
export const modelVersions = ours<ModelVersion>('ModelVersion', 'modelversions');
export const inferenceServices = ours<InferenceService>('InferenceService', 'inferenceservices');

import type { OperatorConfig } from '../config.ts';
import type { ControllerSpec } from '../kube/contracts.ts';
import { notifyController, notifyVersionsController } from '../notify/controller.ts';
import type { DriftMeter } from '../telemetry/driftMetrics.ts';
import type { TrainingMeter } from '../telemetry/trainingMetrics.ts';
import { driftController } from './drift/controller.ts';
import { inferenceServiceController } from './inferenceservice/controller.ts';
import { modelVersionController } from './modelversion/controller.ts';
import { peersController } from './peers/controller.ts';
import { retrainController } from './retrain/controller.ts';
import { sweepController } from './sweep/controller.ts';
import { trainingJobController } from './trainingjob/controller.ts';

interface Meters {
  readonly drift: DriftMeter;
  readonly training: TrainingMeter;
}

/**
 * Every controller of the operator. The RBAC manifests are generated from what these declare. Without `meters` nobody is
 * told what they count.
 */
export const controllers = (config: OperatorConfig, meters?: Meters): ControllerSpec[] => [
  trainingJobController(config, meters && { meter: meters.training }),
  modelVersionController(config),
  inferenceServiceController(config),
  driftController(config, meters?.drift),
  sweepController(),
  retrainController(),
  ...(config.evidenceSource === 'pods' ? [peersController()] : []),
  notifyController(config),
  notifyVersionsController(config),
];

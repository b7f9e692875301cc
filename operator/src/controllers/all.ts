import type { OperatorConfig } from '../config.ts';
import type { ControllerSpec } from '../kube/contracts.ts';
import { inferenceServiceController } from './inferenceservice/controller.ts';
import { modelVersionController } from './modelversion/controller.ts';
import { trainingJobController } from './trainingjob/controller.ts';

/** Every controller of the operator. The RBAC manifests are generated from what these declare. */
export const controllers = (config: OperatorConfig): ControllerSpec[] => [
  trainingJobController(config),
  modelVersionController(config),
  inferenceServiceController(config),
];

import { parseConfig } from '@slipway/operator/config.ts';
import { trainingJobController } from '@slipway/operator/controllers/trainingjob/controller.ts';
import type { Grant } from '@slipway/operator/kube/contracts.ts';
import { grantsOf } from '@slipway/operator/kube/grants.ts';
import { managerGrants } from '@slipway/operator/kube/manager.ts';

const allControllers = (config: ReturnType<typeof parseConfig>) => [trainingJobController(config)];

/** What the operator's code may ask of the server: its client refuses the rest. No setting changes it. */
export const operatorGrants = (): Grant[] => [
  ...managerGrants,
  ...allControllers(parseConfig({ SLIPWAY_RUNTIME_IMAGE: 'example.com/slipway/runtime' })).flatMap(grantsOf),
];

import { parseConfig } from '@slipway/operator/config.ts';
import { controllers } from '@slipway/operator/controllers/all.ts';
import type { Grant } from '@slipway/operator/kube/contracts.ts';
import { grantsOf } from '@slipway/operator/kube/grants.ts';
import { managerGrants } from '@slipway/operator/kube/manager.ts';

/** No setting changes what the operator may do; its configuration asks for this one. */
const ANY_CONFIG = parseConfig({ SLIPWAY_RUNTIME_IMAGE: 'example.com/slipway/runtime' });

/** What taking CloudEvents asks for beside it; given only where that is turned on, as it writes what belongs to users. */
export { intakeGrants } from '@slipway/operator/intake/server.ts';

/** What the operator's code may ask of the server: its client refuses the rest. */
export const operatorGrants = (): Grant[] => [...managerGrants, ...controllers(ANY_CONFIG).flatMap(grantsOf)];

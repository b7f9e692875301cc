import type { Rule } from './decision.ts';
import { WAY_IN, WAY_OUT } from './modelRules.ts';
import { FORWARD } from './rolloutRules.ts';

/**
 * The rollout: the first rule that applies decides the pass. The order is the safety argument. What takes traffic away
 * comes before what waits, and what waits before what gives traffic; so no wait can mask a rollback.
 */
export const RULES: readonly Rule[] = [...WAY_OUT, ...WAY_IN, ...FORWARD];

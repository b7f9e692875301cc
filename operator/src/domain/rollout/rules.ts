import type { Rule } from './decision.ts';
import { IDLE } from './rules/idle.ts';
import { FORWARD } from './rules/keeping.ts';
import { WAY_BACK } from './rules/wayBack.ts';
import { LETTING_GO, WAY_OUT } from './rules/wayOut.ts';

/**
 * The rollout: the first rule that applies decides the pass. The order is the safety argument. What takes traffic away
 * comes before what waits, and what waits before what gives traffic; so no wait can mask a rollback.
 */
export const RULES: readonly Rule[] = [...WAY_OUT, ...WAY_BACK, ...LETTING_GO, ...IDLE, ...FORWARD];

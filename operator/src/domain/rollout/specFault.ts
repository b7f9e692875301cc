import type { Cause } from './world.ts';

/** Why the spec of a rollout can not be carried out, as the reason of Stalled=True. */
const REASONS = ['WindowInvalid', 'PodsNotAsked', 'WeightNotPossible', 'GuardInvalid'] as const;

export interface SpecFault extends Cause {
  readonly reason: (typeof REASONS)[number];
}

export const isSpecFault = (reason: string): boolean => (REASONS as readonly string[]).includes(reason);

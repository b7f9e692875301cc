import type { CandidateStatus } from '../../domain/rollout/world.ts';

/**
 * Names what a candidate is shown to: where it changes, a new window of evidence begins. Not the step: one that waits for
 * pods, or for a person, goes on with the exposure of the step before, and what was proved about that stays proved. A
 * bake is the last step going on.
 */
export const exposureKey = ({ phase, weight, shadow = 0 }: CandidateStatus): string =>
  `${phase === 'Baking' ? 'Shifting' : phase}/${weight}/${shadow}`;

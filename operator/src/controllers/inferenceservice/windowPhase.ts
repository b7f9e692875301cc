import type { CandidateStatus } from '../../domain/rollout/world.ts';

type Phase = CandidateStatus['phase'];

/** The phase as windows of evidence know it: a bake is the last step going on. */
export const windowPhase = (phase: Phase): Phase => (phase === 'Baking' ? 'Shifting' : phase);

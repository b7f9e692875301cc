import { elapsedMs } from '../rollout/steps.ts';
import { candidatePercent } from '../rollout/weights.ts';
import type { CandidateStatus, RevisionEvidence, World } from '../rollout/world.ts';

export type Phase = CandidateStatus['phase'];

/** What a guard looks at: the world, and in it the two versions that it is about. */
export interface Sight {
  readonly world: World;
  readonly candidate: CandidateStatus;
  /** Evidence about the candidate; undefined: none reached the operator. */
  readonly seen: RevisionEvidence | undefined;
  /** Evidence about the stable version. */
  readonly stable: RevisionEvidence | undefined;
}

export const sightOf = (world: World, candidate: CandidateStatus): Sight => ({
  world,
  candidate,
  seen: world.evidence[candidate.revision],
  stable: world.evidence[world.status.stable?.revision ?? ''],
});

/** Whether the candidate is meant to be asked anything, copies and previews included. Where it is not, nothing can be judged. */
export const isAsked = (candidate: CandidateStatus): boolean =>
  candidate.phase === 'Shadowing' || candidate.phase === 'Previewing' || candidatePercent(candidate) > 0;

/** Only people who ask for it get a preview, and maybe nobody does: silence is no blindness there. */
export const maySeeNothing = ({ candidate }: Sight): boolean => candidate.phase === 'Previewing';

/** Whether all requests go to the candidate: then what the stable version counted is of another time. */
export const hasAllTraffic = ({ candidate }: Sight): boolean => candidatePercent(candidate) === 100;

export const secondsOfRollout = ({ world, candidate }: Sight): number =>
  elapsedMs(candidate.startedAt, world.now) / 1000;

export const secondsOfStep = ({ world, candidate }: Sight): number =>
  elapsedMs(candidate.stepStartedAt, world.now) / 1000;

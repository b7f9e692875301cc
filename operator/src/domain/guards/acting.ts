import type { GuardVerdict } from '@slipway/crds';
import type { CandidateStatus, GuardStatus, World } from '../rollout/world.ts';
import { byGravity } from './finding.ts';
import { type Reading, readingOf } from './kinds.ts';

/** Guards that may act: those that are not just observed. */
export const acting = (guards: readonly GuardStatus[]): readonly GuardStatus[] =>
  guards.filter(({ observe }) => observe !== true);

/** Guards that may act in the phase of the candidate, each with its kind. One that is no longer in the policy acts no more. */
function armed({ spec }: World, { phase }: CandidateStatus, guards: readonly GuardStatus[]) {
  const policy = spec.rollout.guards ?? [];
  return acting(guards).flatMap((status): readonly { status: GuardStatus; reading: Reading }[] => {
    const guard = policy.find(({ name }) => name === status.name);
    const reading = guard && readingOf(guard);
    return reading?.isJudgedIn(phase) ? [{ status, reading }] : [];
  });
}

/** The first guard that fails and may act on it, in the order of the policy. */
export const failedGuard = (
  world: World,
  candidate: CandidateStatus,
  guards: readonly GuardStatus[],
): GuardStatus | undefined => armed(world, candidate, guards).find(({ status }) => status.verdict === 'Fail')?.status;

/**
 * The guard that keeps a candidate where it is, the gravest first: a fault both versions share, blindness, or too
 * little evidence. Which of these holds depends on the phase: nothing waits for requests in a preview, nor for labels
 * before the bake. With `verdict`, only a guard that says this one.
 */
export const holdingGuard = (
  world: World,
  candidate: CandidateStatus,
  guards: readonly GuardStatus[],
  verdict?: GuardVerdict,
): GuardStatus | undefined =>
  armed(world, candidate, guards)
    .filter(({ status, reading }) => reading.holds(candidate.phase).includes(status.verdict))
    .map(({ status }) => status)
    .filter((status) => verdict === undefined || status.verdict === verdict)
    .sort(byGravity)[0];

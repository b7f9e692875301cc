import { failedGuard, holdingGuard } from '../guards/acting.ts';
import { guardCause, guardSentence } from '../guards/sentence.ts';
import { isOwed, podsOf, podsWanted, type Versions } from './sizing.ts';
import { deadlinePassed, patienceIsOver, stepDeadlinePassed } from './steps.ts';
import { isDown, UNREADY_MS } from './unready.ts';
import { candidatePercent } from './weights.ts';
import type { CandidateStatus, Cause, GuardStatus, World } from './world.ts';

type Check = (world: World, candidate: CandidateStatus, guards: readonly GuardStatus[]) => Cause | undefined;

const servesAnotherDigest: Check = ({ evidence }, candidate) => {
  const wrong = evidence[candidate.revision]?.digests.find((d) => d !== candidate.digest);
  return wrong === undefined
    ? undefined
    : { reason: 'DigestMismatch', message: `A pod reports digest ${wrong}, and ${candidate.digest} was asked for.` };
};

const diesAgainAndAgain: Check = ({ revisions }, candidate) => {
  const trouble = revisions[candidate.revision]?.trouble;
  return trouble?.fatal ? { reason: trouble.reason, message: `${trouble.message}.` } : undefined;
};

const lacksPods = ({ revisions }: World, candidate: CandidateStatus): boolean =>
  candidatePercent(candidate) > 0 && (revisions[candidate.revision]?.ready ?? 0) === 0;

const hasNoPodForItsTraffic: Check = (world, candidate) =>
  lacksPods(world, candidate) && unreadyHold(world, candidate) === undefined
    ? {
        reason: 'CandidateUnavailable',
        message: `It gets ${candidate.weight}% of the requests and has no ready pod.`,
      }
    : undefined;

/**
 * Why a candidate with traffic and no ready pod is not yet taken back. On a node that is out of breath the probes of all
 * pods time out: where the stable version has no ready pod either, its requests would gain nothing by going there, and
 * where it has, one look is no proof. Requests that fail meanwhile are the guards' to judge.
 */
export function unreadyHold(world: World, candidate: CandidateStatus): Cause | undefined {
  if (!lacksPods(world, candidate)) return undefined;
  const { stable } = world.status;
  if (stable !== undefined && isDown(podsOf(world, stable.revision)))
    return {
      reason: 'NoVersionReady',
      message: `Neither ${candidate.version} nor ${stable.version} has a ready pod: what both suffer is not the fault of the candidate.`,
    };
  const since = podsOf(world, candidate.revision).unreadySince;
  if (since === undefined || world.now.getTime() - since.getTime() >= UNREADY_MS) return undefined;
  return {
    reason: 'CandidateUnavailable',
    message: `It gets ${candidate.weight}% of the requests and no pod of it is ready; it is taken back when that lasts ${UNREADY_MS / 1000} s.`,
  };
}

const failsAGuard: Check = (world, candidate, guards) => {
  const failed = world.spec.rollout.onFail === 'RollBack' ? failedGuard(world, candidate, guards) : undefined;
  return failed && guardCause(failed);
};

const outOfPatience = (world: World, candidate: CandidateStatus, guard: GuardStatus | undefined, reason: string) =>
  guard !== undefined && patienceIsOver(world, candidate)
    ? { reason, message: `After ${world.spec.rollout.patience} ${guardSentence(guard)}.` }
    : undefined;

const isBlindForLong: Check = (world, candidate, guards) =>
  world.spec.rollout.onBlind === 'RollBack'
    ? outOfPatience(world, candidate, holdingGuard(world, candidate, guards, 'Blind'), 'GuardBlind')
    : undefined;

const isInconclusiveForLong: Check = (world, candidate, guards) =>
  world.spec.rollout.onInconclusive === 'RollBack'
    ? outOfPatience(world, candidate, holdingGuard(world, candidate, guards, 'NeedMore'), 'GuardInconclusive')
    : undefined;

const wasRefused: Check = ({ target }, candidate) =>
  target.state === 'Refused' && target.version === candidate.version
    ? { reason: 'ModelVersionRefused', message: target.message }
    : undefined;

const isLate = (world: World, candidate: CandidateStatus): boolean =>
  candidate.phase === 'Preparing'
    ? deadlinePassed(world, candidate)
    : isOwed(world, versionsOf(world, candidate), candidate) && stepDeadlinePassed(world, candidate);

const versionsOf = ({ status }: World, candidate: CandidateStatus): Versions => ({ ...status, candidate });

/**
 * Pods that the first step needs, or a later one that asks for more, each within the deadline. Pods that are ready but
 * can't be read hold a rollout for ever rather than reject a version nobody looked at; and pods lost in a step they were
 * enough for are the guards' to judge, as a node may have taken them.
 */
const neverGotReady: Check = (world, candidate) => {
  if (candidate.phase === 'Baking' || !isLate(world, candidate)) return undefined;
  const facts = podsOf(world, candidate.revision);
  const wanted = podsWanted(world, versionsOf(world, candidate), candidate);
  if (facts.ready >= wanted) return undefined;
  const why = facts.trouble === undefined ? '' : ` ${facts.trouble.reason}: ${facts.trouble.message}.`;
  return {
    reason: 'ProgressDeadlineExceeded',
    message: `${facts.ready} of ${wanted} pods are ready after ${world.spec.rollout.progressDeadline}.${why}`,
  };
};

const CHECKS: readonly Check[] = [
  servesAnotherDigest,
  diesAgainAndAgain,
  hasNoPodForItsTraffic,
  failsAGuard,
  isBlindForLong,
  isInconclusiveForLong,
  wasRefused,
  neverGotReady,
];

/** The first cause for which a live candidate is rolled back, from whatever phase it is in. */
export function failureOf(world: World, candidate: CandidateStatus, guards: readonly GuardStatus[]): Cause | undefined {
  for (const check of CHECKS) {
    const cause = check(world, candidate, guards);
    if (cause !== undefined) return cause;
  }
  return undefined;
}

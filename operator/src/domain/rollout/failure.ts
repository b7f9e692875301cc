import { guardCause } from '../guards/sentence.ts';
import { deadlinePassed } from './steps.ts';
import { candidatePercent, replicasOf } from './weights.ts';
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

const hasNoPodForItsTraffic: Check = ({ revisions }, candidate) =>
  candidatePercent(candidate) > 0 && (revisions[candidate.revision]?.ready ?? 0) === 0
    ? {
        reason: 'CandidateUnavailable',
        message: `It gets ${candidate.weight}% of the requests and has no ready pod.`,
      }
    : undefined;

const failsAGuard: Check = (_world, _candidate, guards) => {
  const failed = guards.find(({ verdict }) => verdict === 'Fail');
  return failed && guardCause(failed);
};

const wasRefused: Check = ({ target }, candidate) =>
  target.state === 'Refused' && target.version === candidate.version
    ? { reason: 'ModelVersionRefused', message: target.message }
    : undefined;

/** Pods that are ready but can't be read hold a rollout for ever rather than reject a version nobody looked at. */
const neverGotReady: Check = (world, candidate) => {
  if (candidate.phase !== 'Preparing' || !deadlinePassed(world, candidate)) return undefined;
  const facts = world.revisions[candidate.revision];
  const wanted = replicasOf(world, world.status)[candidate.revision] ?? 1;
  if ((facts?.ready ?? 0) >= wanted) return undefined;
  const why = facts?.trouble === undefined ? '' : ` ${facts.trouble.reason}: ${facts.trouble.message}.`;
  return {
    reason: 'ProgressDeadlineExceeded',
    message: `${facts?.ready ?? 0} of ${wanted} pods are ready after ${world.spec.rollout.progressDeadline}.${why}`,
  };
};

const CHECKS: readonly Check[] = [
  servesAnotherDigest,
  diesAgainAndAgain,
  hasNoPodForItsTraffic,
  failsAGuard,
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

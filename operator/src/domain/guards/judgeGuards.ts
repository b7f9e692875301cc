import type { Guard } from '@slipway/crds';
import { designEffect, errorCounts } from '../analysis/designEffect.ts';
import { noRequests, requestsOf, type Tally } from '../analysis/tally.ts';
import { type Judgement, judgeDifference, judgeRate, type Risk, requestsToVerdict } from '../analysis/verdict.ts';
import { durationText } from '../duration.ts';
import { candidatePercent } from '../rollout/weights.ts';
import type { CandidateStatus, GuardStatus, RevisionEvidence, World } from '../rollout/world.ts';
import { parsePercent, percentText } from './percent.ts';

type Errors = NonNullable<Guard['errors']>;

/** One question of a guard: a limit of its own, or a margin over the stable version. */
interface Question {
  readonly limit: string;
  readonly judge: (candidate: Tally, stable: Tally, risk: Risk) => Judgement;
  readonly needsStable: boolean;
}

const questionsOf = ({ max, worseBy }: Errors): readonly Question[] => [
  ...(max === undefined
    ? []
    : [
        {
          limit: max,
          needsStable: false,
          judge: (c: Tally, _s: Tally, risk: Risk) => judgeRate(errorCounts(c), parsePercent(max), risk),
        },
      ]),
  ...(worseBy === undefined
    ? []
    : [
        {
          limit: worseBy,
          needsStable: true,
          judge: (c: Tally, s: Tally, risk: Risk) =>
            judgeDifference(errorCounts(c), errorCounts(s), parsePercent(worseBy), risk),
        },
      ]),
];

/**
 * The rollout promises one bound on a false rollback, over all guards, steps and looks. It is spent half on evidence
 * since the rollout began, which finds small faults, and half on evidence of each step, which finds at once a fault
 * that only this weight brings out; both halves are split evenly (union bound).
 */
function risks({ spec }: World): { readonly rollout: Risk; readonly step: Risk } {
  const { guards = [], steps, confidence } = spec.rollout;
  const questions = guards.flatMap(({ errors }) => (errors === undefined ? [] : questionsOf(errors))).length;
  const fail = (1 - Number(confidence.fail)) / Math.max(1, questions) / 2;
  const pass = 1 - Number(confidence.pass);
  const shifts = steps.filter(({ weight }) => weight !== undefined).length;
  return { rollout: { fail, pass }, step: { fail: fail / Math.max(1, shifts), pass } };
}

interface Sides {
  readonly candidate: RevisionEvidence | undefined;
  readonly stable: RevisionEvidence | undefined;
}

/** While stable gets requests the two are compared over the same seconds; once it gets none, with all it ever answered. */
const reference = (world: World, { stable }: Sides): Tally =>
  (world.status.candidate?.weight === 100 ? stable?.lifetime : stable?.sinceStep) ?? noRequests;

/** Fewer than half of the ready pods answer, or none was asked anything: then no rate is a rate of the candidate. */
function isBlind(world: World, candidate: CandidateStatus, sides: Sides, question: Question): boolean {
  const seen = sides.candidate;
  const ready = world.revisions[candidate.revision]?.ready ?? 0;
  if (seen === undefined || seen.answering === 0 || seen.answering * 2 < ready) return true;
  if (requestsOf(seen.sinceStep) === 0) return true;
  return question.needsStable && requestsOf(reference(world, sides)) === 0;
}

interface Finding extends Omit<Judgement, 'verdict' | 'limit'> {
  readonly verdict: GuardStatus['verdict'];
  readonly limit: string;
  readonly requests: number;
  readonly etaMs: number | undefined;
}

function etaMs(judgement: Judgement, evidence: RevisionEvidence, question: Question, risk: Risk): number | undefined {
  const requests = requestsOf(evidence.sinceStep);
  if (judgement.verdict !== 'NeedMore' || question.needsStable || requests === 0) return undefined;
  const more = requestsToVerdict(errorCounts(evidence.sinceStep), judgement.limit, risk);
  const perSecond = requests / designEffect(evidence.sinceStep) / Math.max(1, evidence.stepSeconds);
  return more === undefined ? undefined : (more / perSecond) * 1000;
}

function answer(world: World, candidate: CandidateStatus, sides: Sides, question: Question): Finding {
  const { rollout, step } = risks(world);
  const seen = sides.candidate;
  const overall = question.judge(seen?.sinceRollout ?? noRequests, sides.stable?.sinceRollout ?? noRequests, rollout);
  if (overall.verdict === 'Fail') {
    const requests = requestsOf(seen?.sinceRollout ?? noRequests);
    return { ...overall, limit: question.limit, requests, etaMs: undefined };
  }
  const now = question.judge(seen?.sinceStep ?? noRequests, reference(world, sides), step);
  const blind = now.verdict !== 'Fail' && isBlind(world, candidate, sides, question);
  return {
    ...now,
    verdict: blind ? 'Blind' : now.verdict,
    limit: question.limit,
    requests: requestsOf(seen?.sinceStep ?? noRequests),
    etaMs: blind || seen === undefined ? undefined : etaMs(now, seen, question, step),
  };
}

/** What a guard with two questions says is the worse of the two answers. */
const GRAVITY: readonly GuardStatus['verdict'][] = ['Fail', 'SharedFault', 'Blind', 'NeedMore', 'Pass'];
const gravest = (findings: readonly Finding[]): Finding | undefined =>
  [...findings].sort((a, b) => GRAVITY.indexOf(a.verdict) - GRAVITY.indexOf(b.verdict))[0];

const toStatus = (name: string, { verdict, rate, low, high, limit, requests, etaMs: eta }: Finding): GuardStatus => ({
  name,
  verdict,
  rate: percentText(rate),
  low: percentText(low),
  high: percentText(high),
  limit,
  n: requests,
  ...(eta === undefined ? {} : { eta: durationText(eta) }),
});

/** Judges every guard. Only a candidate that is meant to get requests is judged: the others have nothing to show. */
export function judgeGuards(world: World, candidate: CandidateStatus): readonly GuardStatus[] {
  const guards = world.spec.rollout.guards ?? [];
  if (candidatePercent(candidate) === 0) return [];
  const sides = {
    candidate: world.evidence[candidate.revision],
    stable: world.evidence[world.status.stable?.revision ?? ''],
  };
  return guards.flatMap(({ name, errors }) => {
    if (errors === undefined) return [];
    const finding = gravest(questionsOf(errors).map((q) => answer(world, candidate, sides, q)));
    return finding === undefined ? [] : [toStatus(name, finding)];
  });
}

import { rfc3339 } from '../../kube/conditions.ts';
import type { EventNote } from '../../kube/contracts.ts';
import { requestsOf } from '../analysis/tally.ts';
import { doubtsOf } from '../guards/doubts.ts';
import { guardSentence } from '../guards/sentence.ts';
import { type Decision, liveCandidate, type View } from './decision.ts';
import { elapsedMs } from './steps.ts';
import { candidatePercent, TOTAL_WEIGHT } from './weights.ts';
import type { CandidateStatus, RevisionEvidence, World } from './world.ts';

export type SecondOpinion = NonNullable<CandidateStatus['secondOpinion']>;

/** The design effect takes a second for ten requests at most: more than these in all would bring nothing. */
const MOST_PER_SECOND = 50;
/** A candidate is sized for what it gets, so that copies are a multiple of that; but so few hurt none. */
const TIMES_ITS_OWN = 4;
const FEW_PER_SECOND = 10;
/** Fewer than these copies would decide nothing sooner. */
const LEAST_PER_SECOND = 5;
/** A fault of 10 % at a limit of 1 % is decided by then in 19 of 20. */
export const LONGEST_MS = 15_000;
/** A candidate that sits at its limit is in doubt again and again: each rest is twice the one before. */
export const FIRST_REST_MS = 30_000;
export const LONGEST_REST_MS = 3_600_000;

/** Requests a second of the last seconds. */
function perSecond({ recent, sinceStep, stepSeconds }: RevisionEvidence): number {
  const [tally, seconds] = recent === undefined ? [sinceStep, stepSeconds] : [recent.tally, recent.seconds];
  return requestsOf(tally) / Math.max(1, seconds);
}

/** Copies a second that a candidate with so many requests of its own is asked with. */
export const copiesFor = (own: number): number =>
  Math.max(0, Math.min(MOST_PER_SECOND - own, Math.max(FEW_PER_SECOND, TIMES_ITS_OWN * own)));

/** Share of the requests of the stable version to copy, of 10,000. undefined: there are too few, or enough without. */
function shareOf({ evidence, status }: World, candidate: CandidateStatus): number | undefined {
  const [of, from] = [evidence[candidate.revision], evidence[status.stable?.revision ?? '']];
  if (of === undefined || from === undefined) return undefined;
  const there = perSecond(from);
  const copies = Math.min(there, copiesFor(perSecond(of)));
  return copies < LEAST_PER_SECOND ? undefined : Math.min(TOTAL_WEIGHT, Math.ceil((TOTAL_WEIGHT * copies) / there));
}

/**
 * Whether the candidate may be asked with copies: it has a share of the requests and not all, its pods count copies
 * apart, and somebody asks pods at all. In shadow all is copied already; in preview and with header routes alone
 * the candidate is for others than those whose requests would be copied; in the bake stable has none to copy.
 */
function isOpenTo({ spec, podsAreAsked, evidence }: World, candidate: CandidateStatus): boolean {
  const percent = candidatePercent(candidate);
  return (
    spec.rollout.secondOpinion !== 'Never' &&
    podsAreAsked &&
    candidate.phase === 'Shifting' &&
    candidate.back !== true &&
    percent > 0 &&
    percent < 100 &&
    evidence[candidate.revision]?.takesCopies === true
  );
}

/** What is remembered of this step. What another step asked is over with it. */
function storedOf({ stepStartedAt, secondOpinion }: CandidateStatus): SecondOpinion | undefined {
  if (secondOpinion === undefined || stepStartedAt === undefined) return undefined;
  return Date.parse(secondOpinion.startedAt) < Date.parse(stepStartedAt) ? undefined : secondOpinion;
}

const restMs = (asked: number): number => Math.min(LONGEST_REST_MS, FIRST_REST_MS * 2 ** Math.max(0, asked - 1));

export const isAsking = (opinion: SecondOpinion | undefined): boolean =>
  opinion !== undefined && opinion.endedAt === undefined;

/** Over after its time, and where the clock was set back, or it would last for hours. */
const isOver = ({ startedAt }: SecondOpinion, now: Date): boolean =>
  Date.parse(startedAt) > now.getTime() || elapsedMs(startedAt, now) >= LONGEST_MS;

const hasRested = (before: SecondOpinion | undefined, now: Date): boolean =>
  before === undefined || elapsedMs(before.endedAt, now) >= restMs(before.asked);

function begun({ world, guards }: View, candidate: CandidateStatus): SecondOpinion | undefined {
  const before = storedOf(candidate);
  if (!isOpenTo(world, candidate) || !hasRested(before, world.now)) return undefined;
  const worst = doubtsOf(world, candidate, guards)[0];
  const share = worst?.doubt === 'Suspicious' ? shareOf(world, candidate) : undefined;
  if (worst === undefined || share === undefined) return undefined;
  const asked = (before?.asked ?? 0) + 1;
  return { guard: worst.guard.name, startedAt: rfc3339(world.now), share, asked };
}

function goneOn({ world, guards }: View, candidate: CandidateStatus, opinion: SecondOpinion): SecondOpinion {
  const doubts = doubtsOf(world, candidate, guards);
  const goesOn =
    isOpenTo(world, candidate) && !isOver(opinion, world.now) && doubts.some(({ doubt }) => doubt !== 'Clear');
  return goesOn ? opinion : { ...opinion, endedAt: rfc3339(world.now) };
}

/** The second opinion of this step: asked for, gone on with, or over. undefined: none was asked for. */
export function secondOpinionOf(view: View, candidate: CandidateStatus): SecondOpinion | undefined {
  const stored = storedOf(candidate);
  return stored !== undefined && isAsking(stored)
    ? goneOn(view, candidate, stored)
    : (begun(view, candidate) ?? stored);
}

/** With the second opinion of the candidate as it is from this pass on; a version that is on its way no more has none. */
export function withSecondOpinion({ state, ...decision }: Decision, view: View): Decision {
  if (state.candidate === undefined) return { state, ...decision };
  const { secondOpinion: _before, ...candidate } = state.candidate;
  const live = liveCandidate(state);
  const opinion = live === undefined ? undefined : secondOpinionOf(view, live);
  const next = { ...candidate, ...(opinion === undefined ? {} : { secondOpinion: opinion }) };
  return { ...decision, state: { ...state, candidate: next } };
}

/** What is told of a second opinion that began or ended in this pass. */
export function newsOfOpinion({ world, guards }: View, candidate: CandidateStatus | undefined): readonly EventNote[] {
  const [before, now] = [world.status.candidate?.secondOpinion, candidate?.secondOpinion];
  if (candidate === undefined || now === undefined || isAsking(before) === isAsking(now)) return [];
  const guard = guards.find(({ name }) => name === now.guard);
  const why = guard === undefined ? '' : `: ${guardSentence(guard)}`;
  const title = `${world.target.name} ${candidate.version}`;
  const [reason, action, message] = isAsking(now)
    ? [
        'SecondOpinionAsked',
        'CopyRequests',
        `${title} is asked with copies of ${now.share / 100}% of the requests of stable${why}.`,
      ]
    : ['SecondOpinionEnded', 'EndCopies', `${title} is asked with no more copies${why}.`];
  return [{ type: 'Normal', reason, action, message }];
}

import { durationText } from '../duration.ts';
import type { CandidateStatus, GuardStatus, World } from '../rollout/world.ts';
import { type Finding, gravest } from './finding.ts';
import { type Reading, readingOf } from './kinds.ts';
import { type QuestionRisks, risksOf } from './risks.ts';
import { isAsked, type Sight, sightOf } from './sight.ts';

const LONGEST_MESSAGE = 256;
const LONGEST_NUMBER = 24;

const cut = (text: string, most: number): string => (text.length <= most ? text : `${text.slice(0, most - 1)}…`);

function toStatus({ guard, kind }: Reading, { etaMs, message, ...finding }: Finding, observe: boolean): GuardStatus {
  const { verdict, rate, low, high, limit, n } = finding;
  return {
    name: guard.name,
    kind,
    verdict,
    ...(observe ? { observe } : {}),
    rate: cut(rate, LONGEST_NUMBER),
    low: cut(low, LONGEST_NUMBER),
    high: cut(high, LONGEST_NUMBER),
    limit: cut(limit, LONGEST_NUMBER),
    n,
    ...(etaMs === undefined ? {} : { eta: durationText(etaMs) }),
    ...(message === undefined || message === '' ? {} : { message: cut(message, LONGEST_MESSAGE) }),
  };
}

/** What a guard said while it could still be judged: kept for people to read, out of the way of every rule. */
const lastSaid = ({ world, candidate }: Sight, name: string): readonly GuardStatus[] =>
  world.status.candidate?.revision === candidate.revision
    ? (world.status.candidate.guards ?? []).filter((guard) => guard.name === name)
    : [];

function judged(sight: Sight, reading: Reading, risks: QuestionRisks): readonly GuardStatus[] {
  const { guard, questions, isJudgedIn } = reading;
  if (!isJudgedIn(sight.candidate.phase)) return lastSaid(sight, guard.name);
  const finding = gravest(questions.map(({ answer }) => answer(sight, risks)));
  const observe = guard.observe === true || sight.world.spec.rollout.observe === true;
  return finding === undefined ? [] : [toStatus(reading, finding, observe)];
}

/**
 * Judges every guard of the policy, observed ones as well. Only a candidate that is meant to be asked something is
 * judged: the others have nothing to show. Pure: the same world gives the same verdicts, however often it is looked at.
 */
export function judgeGuards(world: World, candidate: CandidateStatus): readonly GuardStatus[] {
  if (!isAsked(candidate)) return [];
  const readings = (world.spec.rollout.guards ?? []).map(readingOf);
  const chances = readings.flatMap(({ questions }) => questions).filter(({ isChance }) => isChance);
  const risks = risksOf(world.spec.rollout, chances.length);
  const sight = sightOf(world, candidate);
  return readings.flatMap((reading) => judged(sight, reading, risks));
}

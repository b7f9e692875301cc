import { comparedAt } from '../analysis/designEffect.ts';
import type { Tally } from '../analysis/tally.ts';
import { judgeDifference, type Risk } from '../analysis/verdict.ts';
import { blindness } from './blindness.ts';
import { untilDifferenceIsJudged } from './eta.ts';
import { blinded, type Finding, findingOf } from './finding.ts';
import { parsePercent, percentText } from './percent.ts';
import type { Question } from './question.ts';
import type { QuestionRisks } from './risks.ts';
import { hasAllTraffic, type Sight } from './sight.ts';
import { historyOf, ofCandidate, ofStable, rawCounts, shareOf, type TallyRate, type Window } from './tallyRate.ts';

/** Both versions over the same seconds; once all requests go to the candidate, all that the stable version ever answered. */
const pairIn = (sight: Sight, window: Window): readonly [candidate: Tally, stable: Tally] => [
  ofCandidate(sight, window),
  ofStable(sight, hasAllTraffic(sight) ? 'lifetime' : window),
];

function judgedIn(sight: Sight, window: Window, rate: TallyRate, worseBy: string, risk: Risk): Finding {
  const margin = parsePercent(worseBy);
  const pair = pairIn(sight, window);
  const tested = comparedAt(rawCounts(rate, pair[1]), margin, historyOf(sight, rate));
  const [candidate, stable] = [rate.counts(pair[0], tested), rate.counts(pair[1], tested)];
  const judgement = judgeDifference(candidate, stable, margin, risk);
  // What a version counted in its life does not grow once all requests go to the other.
  const difference = { candidate, stable, margin, bothGrow: !hasAllTraffic(sight) };
  const waits = judgement.verdict === 'NeedMore' && window === 'sinceStep';
  return {
    ...findingOf(judgement, worseBy, rate.asked(pair[0])),
    etaMs: waits ? untilDifferenceIsJudged(difference, risk, sight.seen?.stepSeconds ?? 0) : undefined,
    message: `${percentText(shareOf(candidate))} against ${percentText(shareOf(stable))} of the stable version`,
  };
}

/** Of a fault that comes late. Windows are counted alike on both sides, but may begin a look apart. */
function recently({ seen, stable }: Sight): number | undefined {
  const [ours, theirs] = [seen?.recent?.window, stable?.recent?.window];
  return ours === theirs ? ours : undefined;
}

function answer(sight: Sight, rate: TallyRate, worseBy: string, { compared }: QuestionRisks): Finding {
  const window = recently(sight);
  const late = window && judgedIn(sight, 'recent', rate, worseBy, compared.recent(window));
  if (late && late.verdict === 'Fail') return late;
  const [asked, reference] = pairIn(sight, 'sinceStep');
  const why = blindness(sight, rate.asked(asked), rate.what, rate.asked(reference));
  return blinded(judgedIn(sight, 'sinceStep', rate, worseBy, compared.step), why);
}

/**
 * Held against the stable version over the same seconds, and, once it gets no requests, against all it ever answered.
 * Never over the rollout as a whole: weights rise, so of any trouble that passes by, the version whose share was larger
 * at that time would have seen more, and two equal versions would look unequal.
 */
export const againstStable = (rate: TallyRate, worseBy: string): Question => ({
  isChance: true,
  answer: (sight, risks) => answer(sight, rate, worseBy, risks),
});

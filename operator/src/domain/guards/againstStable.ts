import { judgeDifference } from '../analysis/verdict.ts';
import { blindness } from './blindness.ts';
import { untilDifferenceIsJudged } from './eta.ts';
import { blinded, type Finding, findingOf } from './finding.ts';
import { parsePercent, percentText } from './percent.ts';
import type { Question } from './question.ts';
import type { QuestionRisks } from './risks.ts';
import { hasAllTraffic, type Sight } from './sight.ts';
import { ofCandidate, ofStable, shareOf, type TallyRate } from './tallyRate.ts';

function answer(sight: Sight, rate: TallyRate, worseBy: string, risks: QuestionRisks): Finding {
  const margin = parsePercent(worseBy);
  const reference = ofStable(sight, hasAllTraffic(sight) ? 'lifetime' : 'sinceStep');
  const asked = ofCandidate(sight, 'sinceStep');
  const [candidate, stable] = [rate.counts(asked), rate.counts(reference)];
  const judgement = judgeDifference(candidate, stable, margin, risks.stepAlone);
  // What a version counted in its life does not grow once all requests go to the other.
  const difference = { candidate, stable, margin, bothGrow: !hasAllTraffic(sight) };
  const seconds = sight.seen?.stepSeconds ?? 0;
  const finding = {
    ...findingOf(judgement, worseBy, rate.asked(asked)),
    etaMs: judgement.verdict === 'NeedMore' ? untilDifferenceIsJudged(difference, risks.stepAlone, seconds) : undefined,
    message: `${percentText(shareOf(candidate))} against ${percentText(shareOf(stable))} of the stable version`,
  };
  return blinded(finding, blindness(sight, rate.asked(asked), rate.what, rate.asked(reference)));
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

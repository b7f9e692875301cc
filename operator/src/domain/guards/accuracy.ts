import { comparedAt } from '../analysis/designEffect.ts';
import { rateKey } from '../analysis/tally.ts';
import { type Judgement, judgeDifference, judgeRate } from '../analysis/verdict.ts';
import { unreadable } from './blindness.ts';
import { untilDifferenceIsJudged, untilRateIsJudged } from './eta.ts';
import { blinded, type Finding, findingOf } from './finding.ts';
import { parsePercent, percentText } from './percent.ts';
import { type Asked, type Kind, type Question, UNDECIDED, WHERE_ASKED } from './question.ts';
import { isSharedIn, shared } from './shared.ts';
import { type Sight, secondsOfRollout } from './sight.ts';
import { batchedRate, historyOf, ofCandidate, ofStable, rawCounts, shareOf } from './tallyRate.ts';

const wrong = batchedRate(
  'labelled answers',
  rateKey.wrong,
  (tally) => tally.wrong,
  (tally) => tally.right + tally.wrong,
);

/** People know accuracy as the share that is right; what is judged is the share that is wrong. */
const asRight = ({ rate, low, high, limit, ...judgement }: Judgement): Judgement => ({
  ...judgement,
  rate: 1 - rate,
  low: 1 - high,
  high: 1 - low,
  limit: 1 - limit,
});

/** What was labelled since the rollout began, however long ago it was answered. */
const labelled = (sight: Sight) => ofCandidate(sight, 'sinceRollout');

const NO_LABEL = 'no label has come yet: post them to /slipway/v1/feedback';

const told = (sight: Sight, finding: Finding): Finding =>
  blinded(wrong.asked(labelled(sight)) === 0 ? { ...finding, message: NO_LABEL } : finding, unreadable(sight));

const atLeast = (min: string): Question => ({
  isChance: true,
  answer: (sight, risks) => {
    const limit = 1 - parsePercent(min);
    const counts = wrong.counts(labelled(sight), limit);
    const judgement = judgeRate(counts, limit, risks.whole);
    const finding: Finding = {
      ...findingOf(asRight(judgement), min, wrong.asked(labelled(sight))),
      etaMs:
        judgement.verdict === 'NeedMore'
          ? untilRateIsJudged(counts, limit, risks.whole, secondsOfRollout(sight))
          : undefined,
      message: 'share of right answers',
    };
    if (judgement.verdict === 'Fail' && isSharedIn(sight, 'sinceRollout', wrong, limit, risks.whole))
      return shared(finding, percentText(1 - shareOf(rawCounts(wrong, ofStable(sight, 'sinceRollout')))));
    return told(sight, finding);
  },
});

/** Labels of the stable version may all have come before: then it is known by its life. */
const reference = (sight: Sight) => {
  const same = ofStable(sight, 'sinceRollout');
  return wrong.asked(same) > 0 ? same : ofStable(sight, 'lifetime');
};

const worseThanStable = (worseBy: string): Question => ({
  isChance: true,
  answer: (sight, { whole }) => {
    const margin = parsePercent(worseBy);
    const tested = comparedAt(rawCounts(wrong, reference(sight)), margin, historyOf(sight, wrong));
    const [candidate, stable] = [wrong.counts(labelled(sight), tested), wrong.counts(reference(sight), tested)];
    const judgement = judgeDifference(candidate, stable, margin, whole);
    const difference = { candidate, stable, margin, bothGrow: true };
    const eta = () => untilDifferenceIsJudged(difference, whole, secondsOfRollout(sight));
    const right = [candidate, stable].map((counts) => percentText(1 - shareOf(counts)));
    return told(sight, {
      ...findingOf(judgement, worseBy, wrong.asked(labelled(sight))),
      etaMs: judgement.verdict === 'NeedMore' ? eta() : undefined,
      message: `${right[0]} right against ${stable.total === 0 ? 'no label' : right[1]} of the stable version`,
    });
  },
});

/**
 * Answers that late labels found wrong, of all that were labelled. A label may come days later, so they are counted
 * since the rollout began and not by steps, and nothing but the end of the bake waits for them.
 */
export const accuracy: Kind<Asked<'accuracy'>> = {
  questions: ({ min, worseBy }) => [
    ...(min === undefined ? [] : [atLeast(min)]),
    ...(worseBy === undefined ? [] : [worseThanStable(worseBy)]),
  ],
  phases: WHERE_ASKED,
  holds: (phase) => (phase === 'Baking' ? UNDECIDED : ['SharedFault']),
};

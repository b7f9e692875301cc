import { type Judgement, judgeRate } from '../analysis/verdict.ts';
import { blindness } from './blindness.ts';
import { untilRateIsJudged } from './eta.ts';
import { blinded, type Finding, findingOf } from './finding.ts';
import { percentText } from './percent.ts';
import type { Question } from './question.ts';
import type { QuestionRisks } from './risks.ts';
import { isSharedIn, shared } from './shared.ts';
import type { Sight } from './sight.ts';
import { ofCandidate, ofStable, rawCounts, shareOf, type TallyRate, type Window } from './tallyRate.ts';

/** A share that is held against a limit of its own. */
export interface LimitQuestion {
  readonly rate: TallyRate;
  readonly limit: number;
  /** The limit as the user wrote it, or would have. */
  readonly text: string;
  /** What the numbers do not tell. */
  readonly tell?: (sight: Sight) => string | undefined;
}

const isShared = (sight: Sight, { rate, limit }: LimitQuestion, window: Window, risks: QuestionRisks): boolean =>
  isSharedIn(sight, 'sinceStep', rate, limit, risks.step) ||
  (window === 'sinceRollout' && isSharedIn(sight, window, rate, limit, risks.rollout));

function judged(sight: Sight, { rate, limit }: LimitQuestion, risks: QuestionRisks): [Judgement, Window] {
  const overall = judgeRate(rate.counts(ofCandidate(sight, 'sinceRollout')), limit, risks.rollout);
  if (overall.verdict === 'Fail') return [overall, 'sinceRollout'];
  return [judgeRate(rate.counts(ofCandidate(sight, 'sinceStep')), limit, risks.step), 'sinceStep'];
}

function answer(sight: Sight, question: LimitQuestion, risks: QuestionRisks): Finding {
  const { rate, limit, text, tell } = question;
  const [judgement, window] = judged(sight, question, risks);
  const finding = {
    ...findingOf(judgement, text, rate.asked(ofCandidate(sight, window))),
    message: tell?.(sight),
  };
  if (judgement.verdict === 'Fail')
    return isShared(sight, question, window, risks)
      ? shared(finding, percentText(shareOf(rawCounts(rate, ofStable(sight, window)))))
      : finding;
  const counts = rate.counts(ofCandidate(sight, 'sinceStep'));
  const eta =
    judgement.verdict === 'NeedMore'
      ? untilRateIsJudged(counts, limit, risks.step, sight.seen?.stepSeconds ?? 0)
      : undefined;
  const why = blindness(sight, rate.asked(ofCandidate(sight, 'sinceStep')), rate.what);
  return blinded({ ...finding, etaMs: eta }, why);
}

/** Held over the whole rollout, and over each step, against a limit of its own. */
export const againstLimit = (question: LimitQuestion): Question => ({
  isChance: true,
  answer: (sight, risks) => answer(sight, question, risks),
});

import { sharedFault } from '../analysis/sharedFault.ts';
import { type Judgement, judgeRate, type Risk } from '../analysis/verdict.ts';
import { blindness } from './blindness.ts';
import { untilRateIsJudged } from './eta.ts';
import { blinded, type Finding, findingOf } from './finding.ts';
import { percentText } from './percent.ts';
import type { Question } from './question.ts';
import type { QuestionRisks } from './risks.ts';
import { hasAllTraffic, type Sight } from './sight.ts';
import { ofCandidate, ofStable, shareOf, type TallyRate, type Window } from './tallyRate.ts';

/** A share that is held against a limit of its own. */
export interface LimitQuestion {
  readonly rate: TallyRate;
  readonly limit: number;
  /** The limit as the user wrote it, or would have. */
  readonly text: string;
  /** What the numbers do not tell. */
  readonly tell?: (sight: Sight) => string | undefined;
}

/**
 * Both versions over the same time. Once all requests go to the candidate, the stable version is only asked where
 * something passes the split by, and what it counted before is of another time.
 */
const isSharedIn = (sight: Sight, { rate, limit }: LimitQuestion, window: Window, risk: Risk): boolean =>
  !(hasAllTraffic(sight) && rate.asked(ofStable(sight, 'sinceStep')) === 0) &&
  sharedFault(rate.counts(ofCandidate(sight, window)), rate.counts(ofStable(sight, window)), limit, risk);

const isShared = (sight: Sight, question: LimitQuestion, window: Window, risks: QuestionRisks): boolean =>
  isSharedIn(sight, question, 'sinceStep', risks.step) ||
  (window === 'sinceRollout' && isSharedIn(sight, question, window, risks.rollout));

function judged(sight: Sight, { rate, limit }: LimitQuestion, risks: QuestionRisks): [Judgement, Window] {
  const overall = judgeRate(rate.counts(ofCandidate(sight, 'sinceRollout')), limit, risks.rollout);
  if (overall.verdict === 'Fail') return [overall, 'sinceRollout'];
  return [judgeRate(rate.counts(ofCandidate(sight, 'sinceStep')), limit, risks.step), 'sinceStep'];
}

const shared = (finding: Finding, stableShare: number): Finding => ({
  ...finding,
  verdict: 'SharedFault',
  message: `the stable version suffers it too: ${percentText(stableShare)}`,
});

function answer(sight: Sight, question: LimitQuestion, risks: QuestionRisks): Finding {
  const { rate, limit, text, tell } = question;
  const [judgement, window] = judged(sight, question, risks);
  const finding = {
    ...findingOf(judgement, text, rate.asked(ofCandidate(sight, window))),
    message: tell?.(sight),
  };
  if (judgement.verdict === 'Fail')
    return isShared(sight, question, window, risks)
      ? shared(finding, shareOf(rate.counts(ofStable(sight, window))))
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

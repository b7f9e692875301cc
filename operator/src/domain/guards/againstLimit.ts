import type { Counts } from '../analysis/confidenceSequence.ts';
import { together } from '../analysis/designEffect.ts';
import { since } from '../analysis/tally.ts';
import { type Judgement, judgeRate, type Risk } from '../analysis/verdict.ts';
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

/** A window, and what it says. */
interface Look {
  readonly window: Window;
  readonly risk: Risk;
  readonly judgement: Judgement;
}

/**
 * What a window counted. What came before the step has a design effect of its own: one for the whole rollout would be
 * that of the mean second, and the first burst after weights rose would count in full.
 */
function countsIn(sight: Sight, { rate, limit }: LimitQuestion, window: Window): Counts {
  if (window !== 'sinceRollout') return rate.counts(ofCandidate(sight, window), limit);
  const step = ofCandidate(sight, 'sinceStep');
  return together(rate.counts(since(ofCandidate(sight, window), step), limit), rate.counts(step, limit));
}

function lookAt(sight: Sight, question: LimitQuestion, window: Window, risk: Risk): Look {
  return { window, risk, judgement: judgeRate(countsIn(sight, question, window), question.limit, risk) };
}

/** The windows in which a Fail is looked for. That of the step is shown where none fails. */
function looks(sight: Sight, question: LimitQuestion, { requests }: QuestionRisks): readonly [step: Look, ...Look[]] {
  const recent = sight.seen?.recent?.window;
  return [
    lookAt(sight, question, 'sinceStep', requests.step),
    lookAt(sight, question, 'sinceRollout', requests.rollout),
    ...(recent === undefined ? [] : [lookAt(sight, question, 'recent', requests.recent(recent))]),
  ];
}

const showing = (sight: Sight, { rate, text, tell }: LimitQuestion, { window, judgement }: Look): Finding => ({
  ...findingOf(judgement, text, rate.asked(ofCandidate(sight, window))),
  message: tell?.(sight),
});

/** One window in which the stable version suffers as well is enough to blame nobody: another may only remember it worse. */
function failing(sight: Sight, question: LimitQuestion, failed: readonly [Look, ...Look[]]): Finding {
  const { rate, limit } = question;
  const both = failed.find(({ window, risk }) => isSharedIn(sight, window, rate, limit, risk));
  if (both === undefined) return showing(sight, question, failed[0]);
  const share = shareOf(rawCounts(rate, ofStable(sight, both.window)));
  return shared(showing(sight, question, both), percentText(share));
}

function answer(sight: Sight, question: LimitQuestion, risks: QuestionRisks): Finding {
  const [step, ...others] = looks(sight, question, risks);
  const [first, ...rest] = [step, ...others].filter(({ judgement }) => judgement.verdict === 'Fail');
  if (first !== undefined) return failing(sight, question, [first, ...rest]);
  const { rate, limit } = question;
  const tally = ofCandidate(sight, 'sinceStep');
  const waits = step.judgement.verdict === 'NeedMore';
  const seconds = sight.seen?.stepSeconds ?? 0;
  const etaMs = waits ? untilRateIsJudged(rate.counts(tally, limit), limit, step.risk, seconds) : undefined;
  return blinded({ ...showing(sight, question, step), etaMs }, blindness(sight, rate.asked(tally), rate.what));
}

/** Held over the whole rollout, over each step and over its last seconds, against a limit of its own. */
export const againstLimit = (question: LimitQuestion): Question => ({
  isChance: true,
  answer: (sight, risks) => answer(sight, question, risks),
});

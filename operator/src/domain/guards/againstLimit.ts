import type { Counts } from '../analysis/confidenceSequence.ts';
import { together } from '../analysis/designEffect.ts';
import { since } from '../analysis/tally.ts';
import { type Judgement, judgeRate, type Risk } from '../analysis/verdict.ts';
import { blindness } from './blindness.ts';
import { untilRateIsJudged } from './eta.ts';
import { blinded, type Finding, findingOf } from './finding.ts';
import { percentText } from './percent.ts';
import type { Doubt, Question } from './question.ts';
import type { QuestionRisks } from './risks.ts';
import { isSharedIn, shared } from './shared.ts';
import type { Sight } from './sight.ts';
import {
  askedWithCopies,
  countsWithCopies,
  ofCandidate,
  ofStable,
  rawCounts,
  shareOf,
  type TallyRate,
  type Window,
} from './tallyRate.ts';

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
  if (window !== 'sinceRollout') return countsWithCopies(rate, ofCandidate(sight, window), limit);
  const step = ofCandidate(sight, 'sinceStep');
  const before = since(ofCandidate(sight, window), step);
  return together(countsWithCopies(rate, before, limit), countsWithCopies(rate, step, limit));
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
  ...findingOf(judgement, text, askedWithCopies(rate, ofCandidate(sight, window))),
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

/**
 * The risk at which a candidate that is not failed is suspected. It promises nothing: it only asks for evidence, which is
 * judged as ever. A fault of 30 % at ten requests a second is suspected after 0.34 s in the median; 0.1 would take 0.45 s, and
 * 99 of 100 would be found half a second later.
 */
export const SUSPICION = 0.3;

/** A fault that stable shows as well is no doubt about the candidate: more of its requests would not tell them apart. */
function doubtOf(sight: Sight, question: LimitQuestion): Doubt {
  const { rate, limit } = question;
  const risk = { fail: SUSPICION, pass: SUSPICION };
  const windows: readonly Window[] = ['sinceStep', 'sinceRollout', ...(sight.seen?.recent ? ['recent' as const] : [])];
  const beyond = windows
    .map((window) => lookAt(sight, question, window, risk))
    .filter(({ judgement }) => judgement.rate > limit);
  if (beyond.length === 0) return 'Clear';
  const failed = beyond.filter(({ judgement }) => judgement.verdict === 'Fail');
  if (failed.length === 0 || failed.some(({ window }) => isSharedIn(sight, window, rate, limit, risk))) return 'Open';
  return 'Suspicious';
}

/** Held over the whole rollout, over each step and over its last seconds, against a limit of its own. */
export const againstLimit = (question: LimitQuestion): Question => ({
  isChance: true,
  answer: (sight, risks) => answer(sight, question, risks),
  ...(question.rate.copied === undefined ? {} : { doubt: (sight: Sight) => doubtOf(sight, question) }),
});

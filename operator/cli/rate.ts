import { type Counts, confidenceSequence } from '../src/domain/analysis/confidenceSequence.ts';
import { judgeRate, requestsToVerdict } from '../src/domain/analysis/verdict.ts';
import { percentText } from '../src/domain/guards/percent.ts';

/** What is asked of a rate by hand, before or without any cluster. Shares are from 0 to 1. */
export interface RateQuestion extends Counts {
  readonly limit: number;
  /** As spec.rollout.confidence. */
  readonly confidence: { readonly fail: number; readonly pass: number };
}

/** Shares from 0 to 1. `needed`: further requests to a verdict if the rate stays what it is; null: no number of them. */
export interface RateAnswer {
  readonly verdict: 'Pass' | 'Fail' | 'NeedMore';
  readonly rate: number;
  readonly low: number;
  readonly high: number;
  readonly limit: number;
  readonly total: number;
  readonly needed: number | null;
}

/** The verdict a guard gives on these counts, if the requests are independent and it is the only guard. */
export function judgeByHand({ hits, total, limit, confidence }: RateQuestion): RateAnswer {
  const risk = { fail: 1 - confidence.fail, pass: 1 - confidence.pass };
  const { verdict, rate, low, high } = judgeRate({ hits, total }, limit, risk);
  const needed = verdict === 'NeedMore' ? (requestsToVerdict({ hits, total }, limit, risk) ?? null) : 0;
  return { verdict, rate, low, high, limit, total, needed };
}

const outcome = ({ verdict, limit, needed }: RateAnswer): string => {
  if (verdict === 'Fail') return `Fail: the rate is above ${percentText(limit)}.`;
  if (verdict === 'Pass') return `Pass: the rate is below ${percentText(limit)}.`;
  return needed === null
    ? 'NeedMore: a rate so near the limit will not be told from it.'
    : `NeedMore: about ${needed} requests more, if the rate stays what it is.`;
};

/** One sentence of numbers and one of what follows. */
export function rateLines(answer: RateAnswer, { hits, confidence }: RateQuestion): string[] {
  const { fail, pass } = confidence;
  const both = confidenceSequence({ hits, total: answer.total }, 0.05);
  return [
    `${hits} of ${answer.total} requests: ${percentText(answer.rate)}, limit ${percentText(answer.limit)}`,
    `at least ${percentText(answer.low)} (confidence ${fail}), at most ${percentText(answer.high)} (confidence ${pass})`,
    `95% interval at any look: ${percentText(both.low)} to ${percentText(both.high)}`,
    outcome(answer),
  ];
}

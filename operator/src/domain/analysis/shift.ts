import { psiOf } from './distances.ts';
import type { Judgement, Risk } from './verdict.ts';

/** Share of a risk that look number `look`, from 1, may spend: 6/(π²·look²). The shares of all looks add up to 1. */
export const lookShare = (look: number): number => 6 / (Math.PI * Math.PI * look * look);

export interface ShiftQuestion {
  /** Population stability index from which a shift counts. */
  readonly threshold: number;
  /** Number of this look, from 1. The samples double from one look to the next, so there are few. */
  readonly look: number;
  readonly risk: Risk;
}

/**
 * Predictions of the candidate held against those of the stable version over the same time, both counted in the same
 * bins. Fail: the index, its bias removed, is at the threshold or beyond, and χ² says so at this look's share of
 * risk.fail that the two differ at all. Pass: its upper bound at this look's share of risk.pass is below the threshold.
 * `n` is the smaller sample. Two samples that are empty or counted in different bins need more.
 * Source: Lan & DeMets 1983 (spending of alpha over looks); psiOf for the index and its bounds.
 */
export function judgeShift(
  candidate: readonly number[],
  stable: readonly number[],
  { threshold, look, risk }: ShiftQuestion,
): Judgement {
  const share = lookShare(look);
  const atFail = psiOf(candidate, stable, 2 * risk.fail * share);
  const atPass = psiOf(candidate, stable, 2 * risk.pass * share);
  const fails = atFail.value >= threshold && atFail.pValue <= risk.fail * share;
  const size = (counts: readonly number[]): number => counts.reduce((a, b) => a + b, 0);
  return {
    verdict: fails ? 'Fail' : atPass.high < threshold ? 'Pass' : 'NeedMore',
    rate: atFail.value,
    low: atFail.low,
    high: atPass.high,
    limit: threshold,
    n: Math.min(size(candidate), size(stable)),
  };
}

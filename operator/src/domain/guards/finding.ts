import type { GuardVerdict } from '@slipway/crds';
import type { Judgement } from '../analysis/verdict.ts';
import { percentText } from './percent.ts';

/** Stands where a number has no meaning: the interval of a plain number, the rate of nothing. */
export const NONE = 'none';

/** The answer to one question of a guard, as the status shows it. */
export interface Finding {
  readonly verdict: GuardVerdict;
  readonly rate: string;
  readonly low: string;
  readonly high: string;
  readonly limit: string;
  readonly n: number;
  readonly etaMs?: number | undefined;
  /** What the numbers do not tell. */
  readonly message?: string | undefined;
}

/** A judgement about shares. `n` counts what was really seen, not what it is worth after the design effect. */
export const findingOf = ({ verdict, rate, low, high }: Judgement, limit: string, n: number): Finding => ({
  verdict,
  rate: percentText(rate),
  low: percentText(low),
  high: percentText(high),
  limit,
  n: Math.round(n),
});

/** Nothing was measured. */
export const nothing = (verdict: 'Blind' | 'NeedMore', limit: string, message: string): Finding => ({
  verdict,
  rate: NONE,
  low: NONE,
  high: NONE,
  limit,
  n: 0,
  message,
});

/** Blindness tells more than the numbers of what little was seen. */
export const blinded = (finding: Finding, why: string | undefined): Finding =>
  why === undefined || finding.verdict === 'Fail'
    ? finding
    : { ...finding, verdict: 'Blind', etaMs: undefined, message: why };

const GRAVITY: readonly GuardVerdict[] = ['Fail', 'SharedFault', 'Blind', 'NeedMore', 'Pass'];

/** Orders by how much a verdict stands in the way, the gravest first. */
export const byGravity = (a: { verdict: GuardVerdict }, b: { verdict: GuardVerdict }): number =>
  GRAVITY.indexOf(a.verdict) - GRAVITY.indexOf(b.verdict);

/** What a guard with several questions says is the gravest of the answers, the first of those where there are several. */
export const gravest = <T extends { readonly verdict: GuardVerdict }>(findings: readonly T[]): T | undefined =>
  [...findings].sort(byGravity)[0];

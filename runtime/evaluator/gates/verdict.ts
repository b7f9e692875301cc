import type { GateResult, Verdict } from '@slipway/crds/contract';
import type { Interval } from '../intervals/interval.ts';

/** Which side of the limit is good. */
export type Bound = 'min' | 'max';

/** Reads the verdict off an interval: sure on either side of the limit, else more samples are needed. */
export function verdictOf({ low, high }: Interval, limit: number, bound: Bound): Verdict {
  if (bound === 'min') return low >= limit ? 'Pass' : high < limit ? 'Fail' : 'NeedMore';
  return high <= limit ? 'Pass' : low > limit ? 'Fail' : 'NeedMore';
}

const WORDS: Readonly<Record<Bound, Readonly<Record<Verdict, string>>>> = {
  min: { Pass: 'is at least', Fail: 'is below', NeedMore: 'may be above or below' },
  max: { Pass: 'is at most', Fail: 'is above', NeedMore: 'may be above or below' },
};

/** How the interval stands to the limit, in words. */
export const comparison = (verdict: Verdict, bound: Bound, limit: string): string =>
  `${WORDS[bound][verdict]} ${limit}`;

/** What a gate showed, before its name is put on it. Bounds may be infinite: nothing is known on that side. */
export interface Finding {
  readonly verdict: Verdict;
  readonly value: number;
  readonly low: number;
  readonly high: number;
  readonly limit: number;
  readonly n: number;
  readonly message: string;
  /** How the interval came about. */
  readonly method?: string;
  /** What the report tells beside the numbers. */
  readonly facts?: Readonly<Record<string, unknown>>;
}

/** JSON knows no infinity, for which the largest double stands, and no zero below zero. */
const finite = (value: number): number =>
  Number.isNaN(value) ? 0 : Math.max(-Number.MAX_VALUE, Math.min(Number.MAX_VALUE, value)) + 0;

const LONGEST_MESSAGE = 512;

export const resultOf = (name: string, finding: Finding): GateResult => ({
  name,
  verdict: finding.verdict,
  value: finite(finding.value),
  low: finite(finding.low),
  high: finite(finding.high),
  limit: finite(finding.limit),
  n: finding.n,
  message:
    finding.message.length > LONGEST_MESSAGE ? `${finding.message.slice(0, LONGEST_MESSAGE - 1)}…` : finding.message,
});

/** Four digits after the point are enough for a share; larger numbers keep five digits in all. */
export const number = (value: number): string =>
  Math.abs(value) < 10 ? value.toFixed(4) : Number(value.toPrecision(5)).toString();

/** A value with its interval in brackets. */
export const withInterval = ({ value, low, high }: Interval & { readonly value: number }, n: number): string =>
  `${number(value)} (95 % ${number(low)} to ${number(high)}, n=${n})`;

import { logGamma } from './logGamma.ts';

/** Outcomes of a yes/no question. Fractions are welcome: counts are divided by a design effect before they come here. */
export interface Counts {
  /** How often it happened (an error, a slow answer). */
  readonly hits: number;
  /** How often it was asked. */
  readonly total: number;
}

export interface Interval {
  readonly low: number;
  readonly high: number;
}

const BISECTIONS = 60;
/** Logits beyond this are rates of 0 and 1 in double precision. */
const LARGEST_LOGIT = 700;

const rateOf = (logit: number): number => 1 / (1 + Math.exp(-logit));
const termOf = (count: number, logRate: number): number => (count === 0 ? 0 : count * logRate);

/** ln of the Beta(1 + hits, 1 + misses) density at p, as a function of the two logarithms so that p near 0 or 1 keeps its digits. */
function logDensity({ hits, total }: Counts): (logP: number, logQ: number) => number {
  const misses = total - hits;
  const constant = logGamma(total + 2) - logGamma(hits + 1) - logGamma(misses + 1);
  return (logP, logQ) => constant + termOf(hits, logP) + termOf(misses, logQ);
}

const atLogit = (logit: number): [number, number] => [-Math.log1p(Math.exp(-logit)), -Math.log1p(Math.exp(logit))];

/**
 * Whether the sequence at level 1 − alpha has left the rate p out. A sequence that keeps p tonight may drop it tomorrow;
 * the chance that it ever drops the true rate is at most alpha.
 */
export const excludes = (counts: Counts, alpha: number, p: number): boolean =>
  logDensity(counts)(Math.log(p), Math.log1p(-p)) <= Math.log(alpha);

/** Bisection between a logit inside the set and one outside it. */
function crossing(inside: number, outside: number, within: (logit: number) => boolean): number {
  let [near, far] = [inside, outside];
  for (let i = 0; i < BISECTIONS; i += 1) {
    const middle = (near + far) / 2;
    if (within(middle)) near = middle;
    else far = middle;
  }
  return rateOf(far);
}

/**
 * Confidence sequence of one rate, valid at every look and under any stopping rule: the prior-posterior-ratio set
 * { p : Beta(p; 1 + hits, 1 + misses) / Beta(p; 1, 1) > alpha }, with a uniform prior. The density has one peak, so the
 * set is an interval around hits/total; its ends are found by bisection on the logit.
 * Source: Waudby-Smith & Ramdas, "Confidence sequences for sampling without replacement", NeurIPS 2020, Proposition 2.1
 * (prior-posterior-ratio martingale), here for independent draws; background in Howard, Ramdas, McAuliffe & Sekhon 2021.
 */
export function confidenceSequence(counts: Counts, alpha: number): Interval {
  const { hits, total } = counts;
  if (total <= 0) return { low: 0, high: 1 };
  const density = logDensity(counts);
  const within = (logit: number): boolean => density(...atLogit(logit)) > Math.log(alpha);
  const misses = total - hits;
  const peak = hits <= 0 ? -LARGEST_LOGIT : misses <= 0 ? LARGEST_LOGIT : Math.log(hits / misses);
  return {
    low: hits <= 0 ? 0 : crossing(peak, -LARGEST_LOGIT, within),
    high: misses <= 0 ? 1 : crossing(peak, LARGEST_LOGIT, within),
  };
}

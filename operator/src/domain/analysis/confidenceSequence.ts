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

const STEPS = 100;
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

/**
 * Where the density falls to alpha on one side of its peak: -1 below, 1 above. In the logit x its logarithm is concave,
 * so Newton's method lands outside the set and comes back without crossing its edge: what it returns is never too narrow.
 */
function crossing(counts: Counts, alpha: number, side: -1 | 1): number {
  const { hits, total } = counts;
  const density = logDensity(counts);
  const excess = (logit: number): number => density(...atLogit(logit)) - Math.log(alpha);
  const bounded = (logit: number): number => Math.min(LARGEST_LOGIT, Math.max(-LARGEST_LOGIT, logit));
  const peak = bounded(Math.log(hits / (total - hits)));
  const curvature = (hits * (total - hits)) / total;
  let logit = bounded(peak + side * Math.sqrt((2 * excess(peak)) / curvature));
  for (let i = 0; i < STEPS; i += 1) {
    const next = bounded(logit - excess(logit) / (hits - total * rateOf(logit)));
    if (Math.abs(next - logit) < 1e-10) break;
    logit = next;
  }
  return rateOf(logit);
}

/** The rate other than 0 at which (1 + total)·(1 − p)^total, the density without a hit, is alpha. */
const withoutHit = (total: number, alpha: number): number => -Math.expm1((Math.log(alpha) - Math.log1p(total)) / total);

/** Lower end of the confidence sequence. */
export function lowestRate(counts: Counts, alpha: number): number {
  const { hits, total } = counts;
  if (total <= 0 || hits <= 0) return 0;
  return hits >= total ? 1 - withoutHit(total, alpha) : crossing(counts, alpha, -1);
}

/** Upper end of the confidence sequence. */
export function highestRate(counts: Counts, alpha: number): number {
  const { hits, total } = counts;
  if (total <= 0 || hits >= total) return 1;
  return hits <= 0 ? withoutHit(total, alpha) : crossing(counts, alpha, 1);
}

/**
 * Confidence sequence of one rate, valid at every look and under any stopping rule: the prior-posterior-ratio set
 * { p : Beta(p; 1 + hits, 1 + misses) / Beta(p; 1, 1) > alpha }, with a uniform prior. The density has one peak, so the
 * set is an interval around hits/total.
 * Source: Waudby-Smith & Ramdas, "Confidence sequences for sampling without replacement", NeurIPS 2020, Proposition 2.1
 * (prior-posterior-ratio martingale), here for independent draws; background in Howard, Ramdas, McAuliffe & Sekhon 2021.
 */
export const confidenceSequence = (counts: Counts, alpha: number): Interval => ({
  low: lowestRate(counts, alpha),
  high: highestRate(counts, alpha),
});

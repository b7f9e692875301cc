import type { Counts } from './confidenceSequence.ts';

/** Gaps between the two rates that are bet on, in log odds: from a tenth more to 600 times. */
const GAPS = [0.1, 0.2, 0.4, 0.7, 1.2, 2.1, 3.6, 6.4];
/** How a gap lies about the rate of the null: all of it above (few candidate requests) to all of it below (few stable ones). */
const BELOW = [0, 0.1, 0.3, 0.5, 0.7, 0.9, 1];

/** Bets: by how much the one rate lies above the null and the other below it, in log odds and as odds ratio − 1. */
const BETS = GAPS.flatMap((gap) => BELOW.map((below) => ({ up: gap * (1 - below), down: -gap * below })));
const UP = Float64Array.from(BETS, ({ up }) => up);
const DOWN = Float64Array.from(BETS, ({ down }) => down);
const UP_ODDS = UP.map(Math.expm1);
const DOWN_ODDS = DOWN.map(Math.expm1);

/** ln of the mean wealth of the bettors, and its derivatives by p (twice) and by the margin. */
interface Wealth {
  readonly log: number;
  readonly byRate: number;
  readonly byRateTwice: number;
  readonly byMargin: number;
}

const logs = new Float64Array(BETS.length);

/**
 * Wealth of bettors who each began with 1/56, if the higher rate is p + margin and the lower one p. Each request
 * multiplies a bet by the chance of its outcome at the rate that was bet on over that at the null; for odds e^x times
 * those of p that is e^x/(1 + p(e^x − 1)) for a hit and 1/(1 + p(e^x − 1)) for a miss. The logarithm is convex in
 * (p, margin), as each bet's is and the logarithm of a sum of exponentials keeps it.
 */
function wealth(higher: Counts, lower: Counts, margin: number, p: number): Wealth {
  let largest = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < logs.length; i += 1) {
    const ofHigher = higher.hits * (UP[i] ?? 0) - higher.total * Math.log1p((p + margin) * (UP_ODDS[i] ?? 0));
    const ofLower = lower.hits * (DOWN[i] ?? 0) - lower.total * Math.log1p(p * (DOWN_ODDS[i] ?? 0));
    logs[i] = ofHigher + ofLower;
    if (ofHigher + ofLower > largest) largest = ofHigher + ofLower;
  }
  let [total, byRate, byMargin, squares] = [0, 0, 0, 0];
  for (let i = 0; i < logs.length; i += 1) {
    const weight = Math.exp((logs[i] ?? 0) - largest);
    if (weight < 1e-12) continue;
    const [up, down] = [UP_ODDS[i] ?? 0, DOWN_ODDS[i] ?? 0];
    const [above, below] = [up / (1 + (p + margin) * up), down / (1 + p * down)];
    const slope = -higher.total * above - lower.total * below;
    total += weight;
    byRate += weight * slope;
    byMargin -= weight * higher.total * above;
    squares += weight * (slope * slope + higher.total * above * above + lower.total * below * below);
  }
  const mean = byRate / total;
  return {
    log: largest + Math.log(total / logs.length),
    byRate: mean,
    byRateTwice: squares / total - mean * mean,
    byMargin: byMargin / total,
  };
}

const STEPS = 60;
/** Of the distance between the bound and what was seen. */
const PRECISION = 1e-4;
const EDGE = 1e-15;

/**
 * The least wealth over every p, by Newton's method within a bracket; `start` is where a neighbouring margin had it. The
 * bracket is halved by its geometric mean, for rates near 0 differ by factors.
 */
function leastWealth(higher: Counts, lower: Counts, margin: number, start: number): Wealth & { readonly at: number } {
  const least = Math.max(0, -margin);
  let [left, right] = [EDGE, Math.min(1, 1 - margin) - least - EDGE];
  let x = Math.min(Math.max(start - least, Math.sqrt(left * right)), right);
  let found = wealth(higher, lower, margin, least + x);
  for (let i = 0; i < STEPS; i += 1) {
    if (found.byRate > 0) right = x;
    else left = x;
    const newton = x - found.byRate / found.byRateTwice;
    const next = newton > left && newton < right ? newton : Math.sqrt(left * right);
    // What a step can still gain is its slope times its length: less than this is no evidence.
    if (Math.abs(found.byRate * (next - x)) < 1e-5) break;
    x = next;
    found = wealth(higher, lower, margin, least + x);
  }
  // Where the least is at an edge of p that moves with the margin, it moves along.
  const movesAlong = found.byRate < 0 ? margin > 0 : margin < 0;
  return { ...found, byMargin: found.byMargin - (movesAlong ? found.byRate : 0), at: least + x };
}

const share = ({ hits, total }: Counts): number => (total === 0 ? 0 : hits / total);
/** Variance of a share, never 0: where a search begins, not what it finds. */
const variance = ({ hits, total }: Counts): number => ((hits + 1) * (total - hits + 1)) / (total + 2) ** 3;

/**
 * Lower bound of (rate of `higher` − rate of `lower`), valid at every look and however the requests of the two arrive:
 * the chance that it ever exceeds the true difference is at most alpha. It is a function of the totals alone.
 *
 * For a null (p + margin, p) bettors put money on fixed alternatives above p + margin and below p. Their mean wealth is
 * a test martingale there, and a supermartingale where the higher rate is lower still: a request's factor has mean
 * 1 + (θ − p0)(q − p0)/(p0(1 − p0)), which is at most 1 for θ ≤ p0 ≤ q. The true p is among all p, so the least wealth
 * over p is no more than what is a martingale, and by Ville's inequality it ever reaches 1/alpha with chance alpha at
 * most. The bets lie along the line between alternative and its projection on the null, which is why not knowing p costs
 * next to nothing. Least wealth falls as the margin grows and is convex in it (a partial minimum of a convex function),
 * so the margins that are not rejected are one interval and Newton's method from its outside does not overshoot.
 * Source: Turner, Ly & Grünwald, "Generic E-variables for exact sequential k-sample tests that allow for optional
 * stopping", 2021 (the factors); Turner & Grünwald, "Exact anytime-valid confidence intervals for contingency tables and
 * beyond", 2022 (inversion over margins); Ramdas, Ruf, Larsson & Koolen 2022 (an infimum of martingales is an e-process).
 */
export function lowestDifference(higher: Counts, lower: Counts, alpha: number): number {
  if (higher.total <= 0 || lower.total <= 0) return -1;
  const wanted = -Math.log(alpha);
  const seen = share(higher) - share(lower);
  let [outside, inside] = [-1, seen];
  const guess = seen - Math.sqrt(2 * (wanted + 2) * (variance(higher) + variance(lower)));
  let margin = guess > outside ? guess : (outside + inside) / 2;
  let p = share(lower);
  for (let i = 0; i < STEPS; i += 1) {
    const least = leastWealth(higher, lower, margin, p);
    p = least.at;
    if (least.log >= wanted) outside = margin;
    else inside = margin;
    const newton = margin - (least.log - wanted) / least.byMargin;
    const next = newton > outside && newton < inside ? newton : (outside + inside) / 2;
    if (Math.abs(next - margin) <= PRECISION * (seen - margin)) return Math.min(margin, next);
    margin = next;
  }
  return outside;
}

/** ln of the likelihood of a share as it was seen over that at rate p. */
function surprise({ hits, total }: Counts, p: number): number {
  const misses = total - hits;
  const ofHits = hits > 0 ? hits * Math.log(hits / total / p) : 0;
  return misses > 0 ? ofHits + misses * Math.log(misses / total / (1 - p)) : ofHits;
}

/**
 * What no bettor can have won against the null at the common rate, as each bet is a likelihood ratio and none is larger
 * than that of what was seen. Most looks end here, for 4 logarithms and not some hundred.
 */
function mostWealth(higher: Counts, lower: Counts, margin: number): number {
  const common = (higher.hits + lower.hits - margin * higher.total) / (higher.total + lower.total);
  const least = Math.max(0, -margin) + EDGE;
  const p = Math.min(Math.max(common, least), Math.min(1, 1 - margin) - EDGE);
  return surprise(higher, p + margin) + surprise(lower, p);
}

/** Whether a difference of `margin` or less is rejected at level alpha: whether the lower bound lies above it. */
export function exceeds(higher: Counts, lower: Counts, margin: number, alpha: number): boolean {
  if (share(higher) - share(lower) <= margin) return false;
  const wanted = -Math.log(alpha);
  if (mostWealth(higher, lower, margin) < wanted) return false;
  return leastWealth(higher, lower, margin, share(lower)).log >= wanted;
}

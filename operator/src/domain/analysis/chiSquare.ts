import { logGamma } from './logGamma.ts';

const MOST_TERMS = 10_000;
const PRECISE = 1e-15;
/** Keeps the continued fraction off a division by zero. */
const TINY = 1e-300;

/** Lower tail by its power series; converges fast for x < a + 1. Source: Abramowitz & Stegun 6.5.29. */
function bySeries(a: number, x: number): number {
  let term = 1 / a;
  let sum = term;
  for (let n = 1; n < MOST_TERMS && term > sum * PRECISE; n += 1) {
    term *= x / (a + n);
    sum += term;
  }
  return sum;
}

/** Upper tail by its continued fraction (modified Lentz), for x ≥ a + 1. Source: Abramowitz & Stegun 6.5.31. */
function byFraction(a: number, x: number): number {
  let b = x + 1 - a;
  let c = 1 / TINY;
  let d = 1 / b;
  let value = d;
  for (let i = 1; i < MOST_TERMS; i += 1) {
    const numerator = -i * (i - a);
    b += 2;
    d = 1 / (numerator * d + b || TINY);
    c = b + numerator / c || TINY;
    value *= d * c;
    if (Math.abs(d * c - 1) < PRECISE) break;
  }
  return value;
}

/** Q(a, x) = Γ(a, x)/Γ(a), the regularised upper incomplete gamma function, for a > 0. */
export function upperGamma(a: number, x: number): number {
  if (x <= 0) return 1;
  const scale = Math.exp(a * Math.log(x) - x - logGamma(a));
  return x < a + 1 ? Math.max(0, 1 - scale * bySeries(a, x)) : scale * byFraction(a, x);
}

/** Chance that a χ² variable with `freedom` degrees of freedom exceeds x. 1 without a degree of freedom. */
export const chiSquareUpperTail = (x: number, freedom: number): number =>
  freedom <= 0 ? 1 : upperGamma(freedom / 2, x / 2);

/** Chance that a standard normal variable exceeds z: half of χ² with one degree of freedom beyond z². */
export const normalUpperTail = (z: number): number =>
  z < 0 ? 1 - chiSquareUpperTail(z * z, 1) / 2 : chiSquareUpperTail(z * z, 1) / 2;

/** z that a standard normal variable exceeds with chance `alpha`, 1e-300 < alpha < 1, by bisection. */
export function normalQuantile(alpha: number): number {
  let [low, high] = [-38, 38];
  for (let i = 0; i < 60; i += 1) {
    const middle = (low + high) / 2;
    if (normalUpperTail(middle) > alpha) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}

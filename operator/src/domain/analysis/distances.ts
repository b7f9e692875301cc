import { chiSquareUpperTail, normalQuantile } from './chiSquare.ts';

/** How far two distributions are apart, and the bounds that hold it with the confidence asked for. */
export interface Effect {
  readonly value: number;
  readonly low: number;
  readonly high: number;
}

/** With the chance of samples that differ so much, or more, from one and the same distribution. */
export interface Tested extends Effect {
  readonly pValue: number;
}

const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);

/** Below this many expected in a bin of either sample, χ² is no bound any more: such bins are counted as one. */
const LEAST_EXPECTED = 5;

/** Bins with too few expected in either sample, together as one. */
function dense(a: readonly number[], b: readonly number[]): (readonly [number, number])[] {
  const [n, m] = [sum(a), sum(b)];
  const share = Math.min(n, m) / (n + m);
  const pairs = a.map((count, i) => [count, b[i] ?? 0] as const);
  const sparse = pairs.filter(([x, y]) => (x + y) * share < LEAST_EXPECTED);
  const rest = pairs.filter(([x, y]) => (x + y) * share >= LEAST_EXPECTED);
  const together = [sum(sparse.map(([x]) => x)), sum(sparse.map(([, y]) => y))] as const;
  return together[0] + together[1] > 0 ? [...rest, together] : rest;
}

/**
 * Chance that two samples of one distribution differ so much: Pearson's χ² of homogeneity over the bins.
 * Source: Pearson 1900; Cochran 1954 for the least expected count.
 */
export function sameDistribution(a: readonly number[], b: readonly number[]): number {
  const [n, m] = [sum(a), sum(b)];
  if (n === 0 || m === 0) return 1;
  const bins = dense(a, b);
  const statistic = sum(bins.map(([x, y]) => (x * m - y * n) ** 2 / ((x + y) * n * m)));
  return chiSquareUpperTail(statistic, bins.length - 1);
}

/** Shares of the bins, half a count added to each so that an empty one has a logarithm. */
function smoothed(counts: readonly number[]): readonly number[] {
  const total = sum(counts) + counts.length / 2;
  return counts.map((count) => (count + 0.5) / total);
}

/** Variance of `slope` over a distribution: what one observation adds to that of a smooth function of the shares. */
function variance(shares: readonly number[], slope: readonly number[]): number {
  const mean = sum(shares.map((p, i) => p * (slope[i] ?? 0)));
  return sum(shares.map((p, i) => p * ((slope[i] ?? 0) - mean) ** 2));
}

interface Measured {
  readonly value: number;
  /** Partial derivatives by the shares of the one and of the other. */
  readonly slopes: readonly [readonly number[], readonly number[]];
  /** Curvature at equality: the value there is about this times χ²·(1/n + 1/m). */
  readonly curvature: number;
}

const unknown = (high: number): Tested => ({ value: 0, low: 0, high, pValue: 1 });

/**
 * Largest true value D for which `value` is within z standard deviations, with the variance that D would have,
 * 4·unit·D + 2·freedom·unit²: that of unit·χ², noncentral. A value that came out small by chance makes its own variance
 * look small too, so that bounds from it alone pass a shift more often than they say.
 */
function largestWithin(value: number, z: number, unit: number, freedom: number): number {
  const middle = value + 2 * z * z * unit;
  return middle + Math.sqrt(middle * middle - value * value + 2 * z * z * freedom * unit * unit);
}

/**
 * Value with its bias removed and bounds by the delta method. Near equality the slopes vanish and the value is
 * curvature·(1/n + 1/m)·χ² with B − 1 degrees of freedom, so the mean of that is the bias and its variance is added. The
 * upper bound is Wilson's kind as well, by the variance at the bound: whichever is further.
 * Source: van der Vaart 1998, §3 (delta method, first and second order); Yurdakul & Naranjo 2020 (PSI ~ (1/n + 1/m)·χ²);
 * Wilson 1927 (variance at the bound).
 */
function estimated(a: readonly number[], b: readonly number[], alpha: number, of: Measured): Effect {
  const [n, m] = [sum(a), sum(b)];
  const freedom = a.length - 1;
  const unit = of.curvature * (1 / n + 1 / m);
  const z = normalQuantile(alpha / 2);
  const first = variance(smoothed(a), of.slopes[0]) / n + variance(smoothed(b), of.slopes[1]) / m;
  const reach = z * Math.sqrt(first + 2 * freedom * unit * unit);
  // No distance is below 0: samples that are more alike than chance makes them prove no more than equal ones.
  const value = Math.max(0, of.value - freedom * unit);
  return {
    value,
    low: Math.max(0, value - reach),
    high: Math.max(value + reach, largestWithin(value, z, unit, freedom)),
  };
}

/** Σ (p − q)·ln(p/q). */
function populationStability(p: readonly number[], q: readonly number[]): Measured {
  const ratio = p.map((x, i) => Math.log(x / (q[i] ?? x)));
  return {
    value: sum(p.map((x, i) => (x - (q[i] ?? 0)) * (ratio[i] ?? 0))),
    slopes: [
      p.map((x, i) => (ratio[i] ?? 0) + 1 - (q[i] ?? 0) / x),
      q.map((y, i) => 1 - (ratio[i] ?? 0) - (p[i] ?? 0) / y),
    ],
    curvature: 1,
  };
}

/** Half of KL(p‖m) + KL(q‖m) in bits, m the mean of the two. */
function jensenShannon(p: readonly number[], q: readonly number[]): Measured {
  const bits = (x: number, other: number): number => Math.log2((2 * x) / (x + other));
  const slopes = [p.map((x, i) => bits(x, q[i] ?? 0) / 2), q.map((y, i) => bits(y, p[i] ?? 0) / 2)] as const;
  return {
    value: sum(p.map((x, i) => x * (slopes[0][i] ?? 0))) + sum(q.map((y, i) => y * (slopes[1][i] ?? 0))),
    slopes,
    curvature: 1 / (8 * Math.LN2),
  };
}

const comparable = (a: readonly number[], b: readonly number[]): boolean =>
  a.length === b.length && a.length > 0 && sum(a) > 0 && sum(b) > 0;

/**
 * Population stability index of two samples counted in the same bins, +0.5 smoothing, bias (B − 1)(1/n + 1/m) removed,
 * with two-sided bounds at 1 − alpha and the p-value of χ². Empty or differently binned samples are at distance 0 with
 * nothing known: high is infinite.
 * Source: Siddiqi 2006 (PSI); Yurdakul & Naranjo 2020 (its distribution); see `estimated` for the bounds.
 */
export function psiOf(observed: readonly number[], reference: readonly number[], alpha: number): Tested {
  if (!comparable(observed, reference)) return unknown(Number.POSITIVE_INFINITY);
  const measured = populationStability(smoothed(observed), smoothed(reference));
  return { ...estimated(observed, reference, alpha, measured), pValue: sameDistribution(observed, reference) };
}

/**
 * Jensen-Shannon distance, base 2, 0 (equal) to 1 (nothing in common), bias removed, with bounds as psiOf has them.
 * Source: Lin 1991; Endres & Schindelin 2003 (its root is a metric).
 */
export function jsOf(observed: readonly number[], reference: readonly number[], alpha: number): Tested {
  if (!comparable(observed, reference)) return unknown(1);
  const measured = jensenShannon(smoothed(observed), smoothed(reference));
  const { value, low, high } = estimated(observed, reference, alpha, measured);
  const distance = (divergence: number): number => Math.sqrt(Math.min(1, divergence));
  return {
    value: distance(value),
    low: distance(low),
    high: distance(high),
    pValue: sameDistribution(observed, reference),
  };
}

const cumulative = (counts: readonly number[]): readonly number[] => {
  const total = sum(counts);
  let below = 0;
  return counts.map((count) => {
    below += count;
    return below / total;
  });
};

/**
 * Kolmogorov-Smirnov distance over ordered bins, 0 to 1. Within a bin the two may differ more, so it is a lower bound of
 * that over the values themselves. The bounds hold at every sample size, half of alpha for each sample.
 * Source: Massart 1990 (Dvoretzky-Kiefer-Wolfowitz with constant 2) for the bounds; Smirnov 1939 for the p-value, here
 * its leading term, which is never below it.
 */
export function ksOf(observed: readonly number[], reference: readonly number[], alpha: number): Tested {
  if (!comparable(observed, reference)) return unknown(1);
  const [n, m] = [sum(observed), sum(reference)];
  const [f, g] = [cumulative(observed), cumulative(reference)];
  const value = Math.max(...f.map((x, i) => Math.abs(x - (g[i] ?? 0))));
  const reach = [n, m].reduce((total, size) => total + Math.sqrt(Math.log(4 / alpha) / (2 * size)), 0);
  const pValue = Math.min(1, 2 * Math.exp((-2 * value * value * n * m) / (n + m)));
  return { value, low: Math.max(0, value - reach), high: Math.min(1, value + reach), pValue };
}

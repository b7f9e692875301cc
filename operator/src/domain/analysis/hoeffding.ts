import type { Counts } from './confidenceSequence.ts';

const HALVINGS = 50;

/** count·ln(observed/rate), 0 where nothing was counted. */
const term = (count: number, observed: number, rate: number): number =>
  count === 0 ? 0 : count * Math.log(observed / rate);

/** ln of the bound on the chance of so many hits or more, when they were to be expected at `rate` below hits/total. */
function logChance({ hits, total }: Counts, rate: number): number {
  const observed = hits / total;
  return -term(hits, observed, rate) - term(total - hits, 1 - observed, 1 - rate);
}

/**
 * Lower bound of the mean chance of independent yes/no outcomes whose chances may all differ, above the truth with a chance
 * of at most `alpha`: the rate at which exp(−n·KL(hits/n, rate)) is alpha. For one look, and not for every one to come as
 * confidenceSequence is, which costs that one ½·ln n. Fractions are welcome. 0 where nothing was counted.
 * Source: Hoeffding 1963, "Probability inequalities for sums of bounded random variables", Theorem 1.
 */
export function leastMean(counts: Counts, alpha: number): number {
  const { hits, total } = counts;
  if (total <= 0 || hits <= 0) return 0;
  let [low, high] = [0, hits / total];
  for (let i = 0; i < HALVINGS; i += 1) {
    const middle = (low + high) / 2;
    if (logChance(counts, middle) <= Math.log(alpha)) low = middle;
    else high = middle;
  }
  return low;
}

const sum = (counts: readonly number[]): number => counts.reduce((a, b) => a + b, 0);

interface Pair {
  readonly statistic: number;
  readonly freedom: number;
}

/**
 * χ² of two samples over their common bins, and its degrees of freedom. Two samples that lie in one and the same bin
 * agree, and that counts: or the one slot in which a feature vanishes would be all that is known of its dispersion.
 * Source: Pearson 1900.
 */
function homogeneity(a: readonly number[], b: readonly number[]): Pair {
  const [n, m] = [sum(a), sum(b)];
  let statistic = 0;
  let used = 0;
  a.forEach((x, i) => {
    const y = b[i] ?? 0;
    if (x + y === 0) return;
    used += 1;
    statistic += (x * m - y * n) ** 2 / ((x + y) * n * m);
  });
  return { statistic, freedom: Math.max(1, used - 1) };
}

/** Pairs of slots that are remembered: those of twelve windows. */
const MOST_PAIRS = 144;

/**
 * Design effect φ of counts in bins: how many rows are worth one independent row. Callers that send batches of rows that
 * resemble each other make two slots that follow each other differ more than chance would; φ is by how much, the mean
 * over the pairs of a day or so. Slots that follow each other, as a slow change of the traffic is no dispersion. A real
 * jump is one pair among many, and costs some power and no alarm.
 * Source: Kish 1965 (design effect); von Neumann 1941 (successive differences); McCullagh & Nelder 1989, §4.5.2.
 */
export class Dispersion {
  #last: readonly number[] = [];
  readonly #pairs: Pair[] = [];

  /** Takes down the next slot. An empty one tells nothing. */
  add(slot: readonly number[]): void {
    if (sum(slot) <= 0) return;
    const before = this.#last;
    this.#last = slot;
    if (before.length === 0) return;
    this.#pairs.push(homogeneity(before, slot));
    if (this.#pairs.length > MOST_PAIRS) this.#pairs.shift();
  }

  /**
   * φ by which counts are to be divided before a test at level `alpha`, at least 1. An estimate from few pairs may be too
   * low, and far out in the tail a little is a lot: the p-value at its critical value x falls as x^−s with
   * s ≈ ln(1/α) + √(f·ln(1/α)) for f degrees of freedom, so φ is raised by exp(s/F), F those of all pairs together, which
   * keeps the mean p-value at α for an estimate whose logarithm has the variance 2/F. undefined: no pair is known yet.
   * Source: Laurent & Massart 2000, Lemma 1 (tail of χ²).
   */
  at(alpha: number): number | undefined {
    const freedom = this.#pairs.reduce((total, pair) => total + pair.freedom, 0);
    if (freedom === 0) return undefined;
    const statistic = this.#pairs.reduce((total, pair) => total + pair.statistic, 0);
    const far = Math.log(1 / alpha);
    const steepness = far + Math.sqrt((freedom / this.#pairs.length) * far);
    return Math.max(1, (statistic / freedom) * Math.exp(steepness / freedom));
  }
}

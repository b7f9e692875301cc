/** Pairs of slots from which a dispersion is told: fewer say nothing. */
const FEWEST_PAIRS = 3;

const sum = (counts: readonly number[]): number => counts.reduce((a, b) => a + b, 0);

/** χ² of two samples over their common bins, and its degrees of freedom. Source: Pearson 1900. */
function homogeneity(a: readonly number[], b: readonly number[]): { statistic: number; freedom: number } {
  const [n, m] = [sum(a), sum(b)];
  let statistic = 0;
  let used = 0;
  a.forEach((x, i) => {
    const y = b[i] ?? 0;
    if (x + y === 0) return;
    used += 1;
    statistic += (x * m - y * n) ** 2 / ((x + y) * n * m);
  });
  return { statistic, freedom: used - 1 };
}

/** Median of χ²/f: (1 − 2/(9f))³. Source: Wilson & Hilferty 1931. */
const medianRatio = (freedom: number): number => (1 - 2 / (9 * freedom)) ** 3;

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const [low, high] = [sorted[Math.floor((sorted.length - 1) / 2)] ?? 0, sorted[Math.floor(sorted.length / 2)] ?? 0];
  return (low + high) / 2;
}

/**
 * Design effect φ of counts in bins: how many rows are worth one independent row. Callers that send batches of rows that
 * resemble each other make the slots of a window differ more than chance would; φ is by how much, taken from each slot
 * and the next. The median of these makes one real jump within the window no dispersion, so that the jump is seen at
 * once. At least 1; and 1 where fewer than four slots hold rows, for then nothing is known.
 * Source: Kish 1965 (design effect); von Neumann 1941 (successive differences, which a trend does not inflate).
 */
export function dispersionOf(slots: readonly (readonly number[])[]): number {
  const filled = slots.filter((slot) => sum(slot) > 0);
  const ratios = filled.slice(1).flatMap((slot, i) => {
    const { statistic, freedom } = homogeneity(filled[i] ?? [], slot);
    return freedom <= 0 ? [] : [statistic / freedom / medianRatio(freedom)];
  });
  return ratios.length < FEWEST_PAIRS ? 1 : Math.max(1, median(ratios));
}

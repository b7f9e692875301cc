import type { Summarised } from '@slipway/crds/contract';

const BINS = 10;
const CATEGORIES = 20;

type Summary<K> = Extract<Summarised, { kind: K }>;
export type NumericSummary = Omit<Summary<'numeric'>, 'name' | 'tensor' | 'index'>;
export type CategoricalSummary = Omit<Summary<'categorical'>, 'name' | 'tensor' | 'index'>;

/** Moments and bins of equal mass. counts[i] lies in (edges[i-1], edges[i]]; the last count is above the last edge. */
export function numericSummary(values: Float64Array): NumericSummary {
  const sorted = values.toSorted();
  const count = sorted.length;
  const mean = sorted.reduce((sum, x) => sum + x, 0) / count;
  const quantiles = Array.from({ length: BINS - 1 }, (_, i) => sorted[Math.floor(((i + 1) * count) / BINS)] ?? 0);
  const edges = [...new Set(quantiles)];
  const counts = new Array<number>(edges.length + 1).fill(0);
  let bin = 0;
  for (const x of sorted) {
    while (bin < edges.length && x > (edges[bin] as number)) bin++;
    counts[bin] = (counts[bin] ?? 0) + 1;
  }
  const m2 = sorted.reduce((sum, x) => sum + (x - mean) ** 2, 0);
  return {
    kind: 'numeric',
    count,
    min: sorted[0] ?? 0,
    max: sorted[count - 1] ?? 0,
    mean,
    m2,
    bins: { edges, counts },
  };
}

/** The most frequent values by name; what remains is `other`. */
export function categoricalSummary(counted: ReadonlyMap<string | number, number>): CategoricalSummary {
  const byFrequency = [...counted].sort(([a, n], [b, m]) => m - n || (a < b ? -1 : 1));
  const categories = byFrequency.slice(0, CATEGORIES).map(([value, count]) => ({ value, count }));
  const other = byFrequency.slice(CATEGORIES).reduce((sum, [, count]) => sum + count, 0);
  const count = byFrequency.reduce((sum, [, n]) => sum + n, 0);
  return { kind: 'categorical', count, categories, other };
}

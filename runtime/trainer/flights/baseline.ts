import { BASELINE_SCHEMA, type Baseline } from '@slipway/crds/contract';
import { type Examples, NUMERIC_FEATURES } from './features.ts';
import type { Trained } from './train.ts';

/** Where the training rows come from. */
export interface DatasetDescription {
  readonly name: string;
  /** sha256 of the file that was read. */
  readonly digest: string;
}

/**
 * What the model saw in training, frozen: later traffic is compared with these bins and these categories, so that
 * every replica adds plain counts. Bins hold equal shares of the training rows.
 */
export function baselineOf(
  { training, scores }: Pick<Trained, 'training' | 'scores'>,
  dataset: DatasetDescription,
): Baseline {
  const columns = NUMERIC_FEATURES.map((_, index) => column(training, index));
  const summaries = columns.map(numericSummary);
  const threshold = farthest(columns, summaries);
  return {
    schema: BASELINE_SCHEMA,
    dataset: { ...dataset, rows: training.rows.length },
    features: [
      ...NUMERIC_FEATURES.map((name, index) => ({
        name,
        tensor: 'numeric',
        index,
        ...(summaries[index] as NumericSummary),
      })),
      { name: 'origin', tensor: 'origin', index: 0, ...categoricalSummary(training.origin) },
      { name: 'destination', tensor: 'destination', index: 0, ...categoricalSummary(training.destination) },
    ],
    predictions: [{ name: 'probability', tensor: 'probability', index: 0, ...numericSummary(scores) }],
    ...(threshold > 0 ? { outliers: { threshold } } : {}),
  };
}

type NumericSummary = ReturnType<typeof numericSummary>;

const USUAL_SHARE = 0.999;

/** Distance from the mean, in squared standard scores over all numeric features, that 99.9 % of the rows do not exceed. */
export function farthest(columns: readonly Float32Array[], summaries: readonly NumericSummary[]): number {
  const distances = new Float64Array(columns[0]?.length ?? 0);
  columns.forEach((values, feature) => {
    const { count, mean, m2 } = summaries[feature] as NumericSummary;
    if (m2 === 0) return;
    values.forEach((value, row) => {
      distances[row] = (distances[row] as number) + ((value - mean) ** 2 * (count - 1)) / m2;
    });
  });
  distances.sort();
  return distances[Math.ceil(USUAL_SHARE * distances.length) - 1] ?? 0;
}

const column = ({ numeric, rows }: Examples, index: number): Float32Array =>
  Float32Array.from(rows, (_, row) => numeric[row * NUMERIC_FEATURES.length + index] ?? Number.NaN);

const BINS = 10;

/** Moments and equal-mass bins. counts[i] lies in (edges[i-1], edges[i]]; the last count is above the last edge. */
export function numericSummary(values: Float32Array) {
  const sorted = Float32Array.from(values).sort();
  const count = sorted.length;
  const mean = sorted.reduce((sum, x) => sum + x, 0) / count;
  const quantiles = Array.from({ length: BINS - 1 }, (_, i) => sorted[Math.floor(((i + 1) * count) / BINS)] ?? 0);
  const edges = [...new Set(quantiles)];
  const counts = new Array<number>(edges.length + 1).fill(0);
  for (const x of sorted) {
    const above = edges.findIndex((edge) => x <= edge);
    const bin = above === -1 ? edges.length : above;
    counts[bin] = (counts[bin] ?? 0) + 1;
  }
  return {
    kind: 'numeric' as const,
    count,
    min: sorted[0] ?? 0,
    max: sorted[count - 1] ?? 0,
    mean,
    m2: sorted.reduce((sum, x) => sum + (x - mean) ** 2, 0),
    bins: { edges, counts },
  };
}

const CATEGORIES = 20;

/** The most frequent values by name; what remains is `other`. */
export function categoricalSummary(codes: Int32Array) {
  const counts = new Map<number, number>();
  for (const code of codes) counts.set(code, (counts.get(code) ?? 0) + 1);
  const byFrequency = [...counts].sort(([a, n], [b, m]) => m - n || a - b);
  const categories = byFrequency.slice(0, CATEGORIES).map(([value, count]) => ({ value, count }));
  const listed = categories.reduce((sum, { count }) => sum + count, 0);
  return { kind: 'categorical' as const, count: codes.length, categories, other: codes.length - listed };
}

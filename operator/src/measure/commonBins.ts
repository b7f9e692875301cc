import type { Baseline, Summarised } from '@slipway/crds/contract';
import type { PredictionLook } from '../domain/rollout/world.ts';
import type { RawLook } from './predictionLooks.ts';

type Pair = PredictionLook['predictions'][number];
type Numeric = Extract<Summarised, { kind: 'numeric' }>;
type Categorical = Extract<Summarised, { kind: 'categorical' }>;
type Counts = readonly number[];

/** What the bins of a version's predictions mean, from its baseline.json. */
export type PredictionShapes = Baseline['predictions'];

const add = (counts: number[], bin: number, count: number): void => {
  counts[bin] = (counts[bin] ?? 0) + count;
};

/** The bin that a value lies in: edges are upper ends. */
const binOf = (edges: Counts, value: number): number => {
  const at = edges.findIndex((edge) => value <= edge);
  return at === -1 ? edges.length : at;
};

/** Spreads what lies from `low` to `high` evenly over the bins it reaches; a bin without any width is a single value. */
function spread(edges: Counts, to: number[], { low, high, count }: { low: number; high: number; count: number }): void {
  if (!(high > low)) {
    add(to, binOf(edges, high), count);
    return;
  }
  for (let bin = 0; bin <= edges.length; bin++) {
    const from = Math.max(low, edges[bin - 1] ?? Number.NEGATIVE_INFINITY);
    const until = Math.min(high, edges[bin] ?? Number.POSITIVE_INFINITY);
    if (until > from) add(to, bin, (count * (until - from)) / (high - low));
  }
}

/**
 * Counts in one model's bins, carried over to the edges of another's: within a bin evenly, the outer bins ending at the
 * least and the largest value that training saw. Exact where edges are the same; else as wrong as values are uneven
 * within a bin, which is small beside a shift worth the name: deciles of two normal samples of the same distribution
 * come out less than a PSI of 0.01 apart.
 */
export function carriedOver(counts: Counts, { bins, min, max }: Numeric, to: Counts): Counts {
  const { edges } = bins;
  if (edges.length === to.length && edges.every((edge, i) => edge === to[i])) return counts;
  const carried = new Array<number>(to.length + 1).fill(0);
  counts.forEach((count, i) => {
    const low = edges[i - 1] ?? Math.min(min, edges[0] ?? min);
    const high = edges[i] ?? Math.max(max, edges.at(-1) ?? max);
    if (count > 0) spread(to, carried, { low, high, count });
  });
  return carried;
}

const keysOf = ({ categories }: Categorical): readonly string[] => categories.map(({ value }) => JSON.stringify(value));

/** Categories that both list, and all else together: what only one of them lists the other counts as its rest. */
function byCategory(counts: Counts, shape: Categorical, common: readonly string[]): Counts {
  const grouped = new Array<number>(common.length + 1).fill(0);
  const keys = keysOf(shape);
  counts.forEach((count, i) => {
    const at = common.indexOf(keys[i] ?? '');
    add(grouped, at === -1 ? common.length : at, count);
  });
  return grouped;
}

const fits = (counts: Counts, shape: Summarised): boolean =>
  counts.length === (shape.kind === 'numeric' ? shape.bins.edges.length : shape.categories.length) + 1;

function paired(name: string, candidate: Counts, of: Summarised, stable: Counts, like: Summarised): Pair | undefined {
  if (!fits(candidate, of) || !fits(stable, like)) return undefined;
  if (of.kind === 'numeric' && like.kind === 'numeric') {
    return { name, candidate: carriedOver(candidate, of, like.bins.edges), stable };
  }
  if (of.kind !== 'categorical' || like.kind !== 'categorical') return undefined;
  const common = keysOf(like).filter((key) => keysOf(of).includes(key));
  return { name, candidate: byCategory(candidate, of, common), stable: byCategory(stable, like, common) };
}

/**
 * A look in common bins: each version counts by its own baseline, and a model that was trained anew has other edges, so
 * that equal numbers of bins mean nothing. A prediction that only one of them makes, or makes as another kind of value,
 * is left out.
 */
export function inCommonBins(
  { look, candidate, stable }: RawLook,
  of: PredictionShapes,
  like: PredictionShapes,
): PredictionLook {
  const predictions = [...candidate].flatMap(([name, counts]): Pair[] => {
    const own = of.find((shape) => shape.name === name);
    const other = like.find((shape) => shape.name === name);
    const against = stable.get(name);
    const pair = own && other && against && paired(name, counts, own, against, other);
    return pair === undefined ? [] : [pair];
  });
  return { look, predictions };
}

import type { Prediction } from '@slipway/crds/contract';
import { DEFAULT_MIN_SAMPLES, sampleOfRows } from '../gates/answers.ts';
import { sliceColumns } from '../gates/sliceExpression.ts';
import { estimate, METRICS, type Measured, type Metric } from '../metrics.ts';
import type { RandomBelow } from '../random.ts';
import type { Sample } from '../sample.ts';

export interface SliceRow extends Measured {
  readonly column: string;
  readonly slice: string;
  readonly metric: Metric;
  /** Predictions in it. */
  readonly rows: number;
  /** Too few to say anything of it. */
  readonly isSmall: boolean;
}

/** A column with more values than this is cut into bands. */
const MOST_VALUES = 30;
const BANDS = 5;
/** All that a reader takes in; the worst come first. */
const MOST_ROWS = 60;

/** A metric for each value of each slice column, worst first, those too small to say anything at the end. */
export function slicesOf(
  metric: Metric,
  predictions: readonly Prediction[],
  all: Sample,
  random: () => RandomBelow,
): readonly SliceRow[] {
  const rows = sliceColumns(predictions).flatMap((column) =>
    [...groupsOf(column, predictions)].map(([slice, indexes]): SliceRow => {
      const sample = sampleOfRows(all, predictions, indexes);
      const isSmall = indexes.length < DEFAULT_MIN_SAMPLES;
      return { ...estimate(metric, sample, random()), column, slice, metric, rows: indexes.length, isSmall };
    }),
  );
  const sign = METRICS[metric].better === 'higher' ? 1 : -1;
  return rows
    .filter(({ value }) => !Number.isNaN(value))
    .sort((a, b) => Number(a.isSmall) - Number(b.isSmall) || sign * (a.value - b.value))
    .slice(0, MOST_ROWS);
}

function groupsOf(column: string, predictions: readonly Prediction[]): ReadonlyMap<string, readonly number[]> {
  const cells = predictions.map(({ slice }) => slice?.[column]);
  const values = new Set(cells);
  const nameOf = values.size > MOST_VALUES ? bandsOf(cells) : (cell: string | number) => `${column} == ${cell}`;
  const groups = new Map<string, number[]>();
  for (const [i, cell] of cells.entries()) {
    const name = cell === undefined ? undefined : nameOf?.(cell);
    if (name === undefined) continue;
    const group = groups.get(name);
    if (group) group.push(i);
    else groups.set(name, [i]);
  }
  return groups;

  /** Fifths of a column of numbers; words in such a number are left out. */
  function bandsOf(all: readonly (string | number | undefined)[]) {
    const numbers = all
      .map(Number)
      .filter(Number.isFinite)
      .sort((a, b) => a - b);
    if (numbers.length < all.length / 2) return undefined;
    const edges = Array.from(
      { length: BANDS - 1 },
      (_, i) => numbers[Math.floor(((i + 1) * numbers.length) / BANDS)] ?? 0,
    );
    const distinct = [...new Set(edges)];
    return (cell: string | number): string | undefined => {
      const value = Number(cell);
      if (!Number.isFinite(value)) return undefined;
      const band = distinct.findIndex((edge) => value < edge);
      const below = distinct[band];
      const from = band < 0 ? distinct.at(-1) : distinct[band - 1];
      if (from === undefined) return `${column} < ${below}`;
      return below === undefined ? `${column} >= ${from}` : `${column} >= ${from} && ${column} < ${below}`;
    };
  }
}

import { BASELINE_SCHEMA, type Baseline, type Signature, type Summarised } from '@slipway/crds/contract';
import { randomFromDigest } from '../random.ts';
import { type FeaturePlace, featurePlaces } from './placement.ts';
import { categoricalSummary, numericSummary } from './summaries.ts';
import { type Row, rowsOf } from './tables.ts';

/** Rows that are kept for the quantiles; a table with more is sampled, the same rows each time. */
const MOST_ROWS = 200_000;
/** A whole-number column of at most so many values is one of codes. */
const MOST_CODES = 20;

export interface TableBaseline {
  readonly baseline: Baseline | undefined;
  /** What to tell the person who looks for a baseline. */
  readonly said: string;
}

/**
 * A baseline of the training data itself, for a trainer that wrote none: each column whose name the signature knows.
 * Undefined where no column is one of the model's, as of a model whose inputs have no names.
 */
export async function baselineFromTables(files: readonly string[], signature: Signature): Promise<TableBaseline> {
  const places = featurePlaces(signature);
  const { rows, seen } = await sampled(files);
  const names = [...places.keys()].filter((name) => rows.some((row) => row[name] !== undefined));
  if (names.length === 0) {
    const known = [...places.keys()].slice(0, 5).join(', ') || 'none by name';
    return {
      baseline: undefined,
      said: `no column of input/train is an input of the model (${known}): there is no baseline, and so no watch for drift`,
    };
  }
  const features = names.flatMap((name) => summaryOf(name, places.get(name) as FeaturePlace, rows));
  const missing = [...places.keys()].filter((name) => !names.includes(name));
  const without = missing.length === 0 ? '' : `; not found: ${missing.slice(0, 5).join(', ')}`;
  return {
    baseline: {
      schema: BASELINE_SCHEMA,
      dataset: { name: 'train', digest: 'sha256:', rows: seen },
      features,
      predictions: [],
    },
    said: `made a baseline of ${features.length} columns and ${seen} rows of input/train${without}`,
  };
}

/** Reservoir sampling (Vitter 1985, algorithm R), seeded: the same files make the same baseline, and the same digest. */
async function sampled(files: readonly string[]): Promise<{ readonly rows: readonly Row[]; readonly seen: number }> {
  const below = randomFromDigest('sha256:0');
  const rows: Row[] = [];
  let seen = 0;
  for (const file of files.toSorted()) {
    for await (const row of rowsOf(file)) {
      seen += 1;
      if (rows.length < MOST_ROWS) rows.push(row);
      else {
        const at = below(seen);
        if (at < MOST_ROWS) rows[at] = row;
      }
    }
  }
  return { rows, seen };
}

function summaryOf(name: string, { tensor, index, datatype }: FeaturePlace, rows: readonly Row[]): Summarised[] {
  const place = { name, tensor, index };
  const present = rows.map((row) => row[name]).filter((value) => value !== undefined && value !== null && value !== '');
  if (datatype === 'BYTES') return [{ ...place, ...categoricalSummary(countOf(present.map(String))) }];
  const numbers = Float64Array.from(present, Number).filter(Number.isFinite);
  if (numbers.length === 0) return [];
  const distinct = new Set(numbers);
  const isWhole = /^(U?INT|BOOL)/.test(datatype);
  return isWhole && distinct.size <= MOST_CODES
    ? [{ ...place, ...categoricalSummary(countOf([...numbers])) }]
    : [{ ...place, ...numericSummary(numbers) }];
}

function countOf<T>(values: readonly T[]): ReadonlyMap<T, number> {
  const counts = new Map<T, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  return counts;
}

import { Z95 } from '../intervals/normal.ts';
import type { Found } from './reported.ts';

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const DEEPEST = 6;
const LOWS = ['low', 'lower', 'lowerBound', 'lower_bound', 'ciLow', 'ci_low'];
const HIGHS = ['high', 'upper', 'upperBound', 'upper_bound', 'ciHigh', 'ci_high'];
const SIZES = ['n', 'count', 'samples', 'num_examples'];

/** {"accuracy": 0.93}, or objects in it with "value" as SageMaker's model quality reports have them. */
export const fromFlatOrNested = (document: unknown, path: readonly string[] = []): readonly Found[] => {
  if (!isObject(document) || path.length > DEEPEST) return [];
  const leaf = leafOf(document, path);
  if (leaf) return [leaf];
  return Object.entries(document).flatMap(([key, value]) => {
    if (typeof value === 'number') return [{ name: [...path, key].join('.'), value }];
    return fromFlatOrNested(value, [...path, key]);
  });
};

/** SageMaker gives a standard deviation of the metric itself: 95 % of it lies within 1.96 of them. */
function leafOf(document: Readonly<Record<string, unknown>>, path: readonly string[]): Found | undefined {
  const value = numberAt(document, ['value']);
  if (value === undefined || path.length === 0) return undefined;
  const deviation = numberAt(document, ['standard_deviation', 'standardDeviation']);
  const low = numberAt(document, LOWS) ?? (deviation === undefined ? undefined : value - Z95 * deviation);
  const high = numberAt(document, HIGHS) ?? (deviation === undefined ? undefined : value + Z95 * deviation);
  const n = numberAt(document, SIZES);
  return {
    name: path.join('.'),
    value,
    ...(low === undefined || high === undefined ? {} : { low, high }),
    ...(n === undefined || !Number.isInteger(n) || n < 0 ? {} : { n }),
  };
}

function numberAt(document: Readonly<Record<string, unknown>>, keys: readonly string[]): number | undefined {
  const value = keys.map((key) => document[key]).find((one) => one !== undefined && one !== null);
  return typeof value === 'number' && Number.isFinite(value) ? value : undefined;
}

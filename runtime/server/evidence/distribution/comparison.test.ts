import { BASELINE_SCHEMA, type Baseline, type Signature, type Summarised } from '@slipway/crds/contract';
import { describe, expect, test } from 'vitest';
import { roomFor, type TensorValue } from '../../tensor.ts';
import { sectionsOf } from '../sections.ts';
import { BaselineComparison, comparisonWords, VALUES_A_ROW } from './comparison.ts';
import { chiSquarePoint } from './rowDistance.ts';

const feature = (index: number, more: object = {}): Summarised => ({
  name: `f${index}`,
  tensor: 'x',
  index,
  kind: 'numeric',
  count: 101,
  min: -10,
  max: 10,
  mean: 0,
  m2: 100,
  bins: { edges: [0], counts: [50, 51] },
  ...more,
});
const features = (count: number): Summarised[] => Array.from({ length: count }, (_, i) => feature(i));

function comparisonOf(more: Partial<Baseline>, width: number) {
  const baseline: Baseline = { schema: BASELINE_SCHEMA, features: [], predictions: [], ...more };
  const signature: Signature = { inputs: [{ name: 'x', datatype: 'FP32', shape: [-1, width] }], outputs: [] };
  return new BaselineComparison(baseline, signature, sectionsOf(comparisonWords(baseline)).sections);
}

function rowsOf(...rows: readonly (readonly number[])[]): readonly TensorValue[] {
  const width = rows[0]?.length ?? 0;
  const elements = roomFor('FP32', rows.length * width) as Float32Array;
  elements.set(rows.flat());
  return [{ name: 'x', datatype: 'FP32', shape: [rows.length, width], elements }];
}

describe('rows far from the training data', () => {
  // The variance of every feature is 1, so that the distance of a row is the sum of its squares.
  test.each([
    ['within the point of independent normal features', [3, 2], 0],
    ['beyond it', [3.5, 2], 1],
    ['with an infinity', [Number.NEGATIVE_INFINITY, 0], 1],
    ['with a missing value, which counts as the usual distance', [Number.NaN, 3], 0],
    ['far in what remains', [Number.NaN, 5], 1],
  ])('%s', (_what, row, beyond) => {
    const comparison = comparisonOf({ features: features(2) }, 2);
    comparison.ran(rowsOf(row), [], 1);
    expect(comparison.counts().outliers).toEqual({ judged: 1, beyond });
  });

  test('are judged by the point that the baseline brings', () => {
    const comparison = comparisonOf({ features: features(2), outliers: { threshold: 2 } }, 2);
    comparison.ran(rowsOf([1, 1], [1, 1.1], [0, 0]), [], 3);
    expect(comparison.counts().outliers).toEqual({ judged: 3, beyond: 1 });
  });

  test('are not judged by features that never varied', () => {
    const comparison = comparisonOf({ features: [feature(0, { m2: 0, min: 0, max: 0 })] }, 1);
    comparison.ran(rowsOf([5]), [], 1);
    expect(comparison.counts()).toMatchObject({ features: [{ outOfRange: 1 }] });
    expect(comparison.counts().outliers).toBeUndefined();
  });

  test('are not judged where some of the features are a series: the point is that of all features together', () => {
    const series: Summarised = { ...feature(0), name: 'series', tensor: 's' };
    const baseline: Baseline = { schema: BASELINE_SCHEMA, features: [feature(0), series], predictions: [] };
    const inputs: Signature['inputs'] = [
      { name: 'x', datatype: 'FP32', shape: [-1, 1] },
      { name: 's', datatype: 'FP32', shape: [-1, 3, 1] },
    ];
    const { sections } = sectionsOf(comparisonWords(baseline));
    const comparison = new BaselineComparison(baseline, { inputs, outputs: [] }, sections);
    const [x] = rowsOf([50], [50]);
    const values: TensorValue = {
      name: 's',
      datatype: 'FP32',
      shape: [2, 3, 1],
      elements: Float32Array.of(1, 1, 1, 1, -1, 1),
    };
    comparison.ran([x as TensorValue, values], [], 2);
    expect(comparison.counts()).toMatchObject({
      features: [{ counts: [0, 2] }, { counts: [1, 5] }],
      outliers: { judged: 0, beyond: 0 },
    });
  });

  // Points from the usual tables of the χ² distribution.
  test.each([
    [1, 10.828, 0.04],
    [3, 16.266, 0.02],
    [10, 29.588, 0.01],
    [30, 59.703, 0.01],
    [100, 149.449, 0.01],
  ])('with %i normal features lie beyond %f', (k, point, tolerance) => {
    expect(Math.abs(chiSquarePoint(k) / point - 1)).toBeLessThan(tolerance);
  });
});

describe('the cost of a row', () => {
  test('is every value of a usual model', () => {
    const comparison = comparisonOf({ features: features(VALUES_A_ROW) }, VALUES_A_ROW);
    for (let i = 0; i < 3; i++) comparison.ran(rowsOf(new Array<number>(VALUES_A_ROW).fill(1)), [], 1);
    expect(comparison.judgedRows).toBe(3);
  });

  test('is bounded: of a model with three times as many features every third row is counted, whole', () => {
    const width = 3 * VALUES_A_ROW;
    const comparison = comparisonOf({ features: features(width) }, width);
    for (let i = 0; i < 10; i++) comparison.ran(rowsOf(new Array<number>(width).fill(i % 3 === 0 ? 1 : -1)), [], 1);
    comparison.ran(rowsOf(...Array.from({ length: 5 }, () => new Array<number>(width).fill(-1))), [], 5);
    const { features: counted, outliers } = comparison.counts();
    // Rows 0, 3, 6, 9 and, in the run of five, 12.
    expect(comparison.judgedRows).toBe(5);
    expect(outliers?.judged).toBe(5);
    expect(counted?.every(({ counts }) => counts[0] === 1 && counts[1] === 4)).toBe(true);
  });
});

import type { Prediction } from '@slipway/crds/contract';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { METRICS, type Metric, measure, metricsFor } from './metrics.ts';
import { sampleOf } from './sample.ts';

/** label, predicted class, score */
type Row = readonly [number, number, number];
const sample = (rows: readonly Row[]) =>
  sampleOf(rows.map(([label, prediction, score], id): Prediction => ({ id, label, prediction, score })));

const rows = fc.array(
  fc.tuple(
    fc.integer({ min: 0, max: 1 }),
    fc.integer({ min: 0, max: 1 }),
    fc.integer({ min: 0, max: 20 }).map((s) => s / 20),
  ),
  { minLength: 1, maxLength: 60 },
);

describe('metrics of a worked example', () => {
  // Two late flights (0.9 and 0.4), three on time (0.6, 0.3, 0.1); late from 0.5 on.
  const example = sample([
    [1, 1, 0.9],
    [1, 0, 0.4],
    [0, 1, 0.6],
    [0, 0, 0.3],
    [0, 0, 0.1],
  ]);
  const expected: Record<Metric, number> = {
    accuracy: 3 / 5,
    precision: 1 / 2,
    recall: 1 / 2,
    balancedAccuracy: (1 / 2 + 2 / 3) / 2,
    f1: 1 / 2,
    rocAuc: 5 / 6,
    logLoss: -(Math.log(0.9) + Math.log(0.4) + Math.log(0.4) + Math.log(0.7) + Math.log(0.9)) / 5,
    brier: (0.01 + 0.36 + 0.36 + 0.09 + 0.01) / 5,
    truePositiveRate: 1 / 2,
    falsePositiveRate: 1 / 3,
    positiveRate: 2 / 5,
    // Each example has a bin of its own.
    expectedCalibrationError: (0.1 + 0.6 + 0.6 + 0.3 + 0.1) / 5,
    meanAbsoluteError: 2 / 5,
    rootMeanSquaredError: Math.sqrt(2 / 5),
    r2: 1 - 2 / (2 * 0.6 ** 2 + 3 * 0.4 ** 2),
  };
  it.each(Object.entries(expected))('%s', (metric, value) => {
    expect(measure(metric as Metric, example)).toBeCloseTo(value, 12);
  });
});

describe('every metric', () => {
  it('does not depend on the order of the predictions', () => {
    fc.assert(
      fc.property(rows, (all) => {
        for (const metric of Object.keys(METRICS) as Metric[]) {
          const [forwards, backwards] = [measure(metric, sample(all)), measure(metric, sample([...all].reverse()))];
          if (Number.isNaN(forwards)) expect(backwards).toBeNaN();
          else expect(backwards).toBeCloseTo(forwards, 10);
        }
      }),
    );
  });

  it('counts a weight of two as the example twice', () => {
    fc.assert(
      fc.property(rows, (all) => {
        const once = sample(all);
        for (const definition of Object.values(METRICS)) {
          const weighted = definition.of(once, new Uint8Array(once.size).fill(2));
          const twice = sample([...all, ...all]);
          const doubled = definition.of(twice, new Uint8Array(twice.size).fill(1));
          if (Number.isNaN(weighted)) expect(doubled).toBeNaN();
          else expect(weighted).toBeCloseTo(doubled, 10);
        }
      }),
    );
  });
});

describe('rocAuc', () => {
  it('is the share of pairs in the right order, ties half', () => {
    fc.assert(
      fc.property(rows, (all) => {
        const late = all.filter(([label]) => label === 1);
        const onTime = all.filter(([label]) => label === 0);
        fc.pre(late.length > 0 && onTime.length > 0);
        const wins = late.flatMap(([, , a]) => onTime.map(([, , b]) => (a > b ? 1 : a === b ? 0.5 : 0) as number));
        const share = wins.reduce((sum, win) => sum + win, 0) / wins.length;
        expect(measure('rocAuc', sample(all))).toBeCloseTo(share, 10);
      }),
    );
  });

  it('is undefined with one class only', () => {
    expect(measure('rocAuc', sample([[1, 1, 0.5]]))).toBeNaN();
  });
});

describe('labels that are words', () => {
  const words = sampleOf([
    { id: 'a', label: 'cat', prediction: 'cat' },
    { id: 'b', label: 'cat', prediction: 'dog' },
    { id: 'c', label: 'dog', prediction: 'dog' },
    { id: 'd', label: 'owl', prediction: 'owl' },
  ]);
  // As sklearn.metrics with average='macro' has it.
  it.each([
    ['accuracy', 3 / 4],
    ['recall', (1 / 2 + 1 + 1) / 3],
    ['balancedAccuracy', (1 / 2 + 1 + 1) / 3],
    ['precision', (1 + 1 / 2 + 1) / 3],
    ['f1', (2 / 3 + 2 / 3 + 1) / 3],
  ] as const)('%s is the mean over the classes', (metric, value) => {
    expect(measure(metric, words)).toBeCloseTo(value, 12);
  });

  it('are two classes only where nobody can doubt which is positive', () => {
    const of = (label: string | number, prediction: string | number) =>
      sampleOf([{ id: 1, label, prediction }]).isBinary;
    expect([of(0, 1), of('0', '1'), of(1, 1), of('late', 1), of('late', 'early'), of(0, 2)]).toEqual([
      true,
      true,
      true,
      true,
      false,
      false,
    ]);
  });
});

describe('measurements', () => {
  const houses = sampleOf([
    { id: 1, label: 3, prediction: 2.5 },
    { id: 2, label: -0.5, prediction: 0 },
    { id: 3, label: 2, prediction: 2 },
    { id: 4, label: 7, prediction: 8 },
  ]);
  // The example of scikit-learn's documentation of these metrics.
  it.each([
    ['meanAbsoluteError', 0.5],
    ['rootMeanSquaredError', Math.sqrt(0.375)],
    ['r2', 0.9486081370449679],
  ] as const)('have %s as scikit-learn computes it', (metric, value) => {
    expect(measure(metric, houses)).toBeCloseTo(value, 12);
  });

  it('are no classes, and classes are no measurements', () => {
    expect(metricsFor(houses)).toEqual(['meanAbsoluteError', 'rootMeanSquaredError', 'r2']);
    expect(metricsFor(sample([[1, 1, 0.5]]))).not.toContain('r2');
    expect(metricsFor(sampleOf([{ id: 1, label: 'a', prediction: 'b' }]))).not.toContain('rocAuc');
    expect(metricsFor(sampleOf([{ id: 1, label: 'a', prediction: 'b', score: 0.1 }]))).toEqual([
      'accuracy',
      'balancedAccuracy',
      'precision',
      'recall',
      'truePositiveRate',
      'f1',
    ]);
  });
});

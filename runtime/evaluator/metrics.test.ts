import type { Prediction } from '@slipway/crds/contract';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { METRICS, type Metric, measure } from './metrics.ts';
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
          if (definition.kind !== 'statistic') continue;
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

describe('labels', () => {
  it('may be words: accuracy compares them, and only 1 is positive', () => {
    const words = sampleOf([
      { id: 'a', label: 'cat', prediction: 'cat' },
      { id: 'b', label: 'cat', prediction: 'dog' },
      { id: 'c', label: '1', prediction: 1 },
    ]);
    expect(measure('accuracy', words)).toBeCloseTo(2 / 3, 12);
    expect(measure('recall', words)).toBe(1);
  });
});

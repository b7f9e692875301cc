import type { Gate } from '@slipway/crds';
import type { Prediction } from '@slipway/crds/contract';
import { describe, expect, it } from 'vitest';
import { Failure } from '../artifact/failure.ts';
import { judgeGates, verdictOf } from './gates.ts';
import { randomFromDigest } from './random.ts';

const random = () => randomFromDigest('ab'.repeat(32));

/** `right` of `size` predictions are right; half of the examples are positive. */
const predictions = (right: number, size: number): Prediction[] =>
  Array.from({ length: size }, (_, id) => {
    const label = id % 2;
    const isRight = id < right;
    return { id, label, prediction: isRight ? label : 1 - label, score: isRight === (label === 1) ? 0.9 : 0.1 };
  });

describe('a verdict', () => {
  const interval = { low: 0.7, high: 0.8 };
  it.each([
    ['the lower bound clears a minimum', 0.7, 'min', 'Pass'],
    ['a minimum lies inside the interval', 0.75, 'min', 'NeedMore'],
    ['a minimum equals the upper bound', 0.8, 'min', 'NeedMore'],
    ['the upper bound misses a minimum', 0.81, 'min', 'Fail'],
    ['the upper bound keeps a maximum', 0.8, 'max', 'Pass'],
    ['a maximum lies inside the interval', 0.75, 'max', 'NeedMore'],
    ['a maximum equals the lower bound', 0.7, 'max', 'NeedMore'],
    ['the lower bound exceeds a maximum', 0.69, 'max', 'Fail'],
  ] as const)('when %s', (_name, limit, bound, verdict) => {
    expect(verdictOf(interval, limit, bound)).toBe(verdict);
  });
});

describe('gates', () => {
  it.each<[string, Gate, number, number, string]>([
    ['pass with a bound that clears', { name: 'g', metric: 'accuracy', min: '0.80' }, 900, 1000, 'Pass'],
    ['need more where a point estimate would pass', { name: 'g', metric: 'accuracy', min: '0.80' }, 17, 20, 'NeedMore'],
    ['fail', { name: 'g', metric: 'accuracy', min: '0.80' }, 700, 1000, 'Fail'],
    ['pass a maximum', { name: 'g', metric: 'brier', max: '0.2' }, 900, 1000, 'Pass'],
    ['fail a maximum', { name: 'g', metric: 'logLoss', max: '0.2' }, 700, 1000, 'Fail'],
    ['judge the area under the curve', { name: 'g', metric: 'rocAuc', min: '0.8' }, 900, 1000, 'Pass'],
    ['judge balanced accuracy', { name: 'g', metric: 'balancedAccuracy', min: '0.95' }, 900, 1000, 'Fail'],
    ['judge f1', { name: 'g', metric: 'f1', min: '0.85' }, 900, 1000, 'Pass'],
    ['judge precision', { name: 'g', metric: 'precision', min: '0.85' }, 900, 1000, 'Pass'],
    ['judge recall', { name: 'g', metric: 'recall', min: '0.95' }, 900, 1000, 'Fail'],
  ])('%s', (_name, gate, right, size, verdict) => {
    expect(judgeGates([gate], predictions(right, size), random())).toMatchObject([{ name: 'g', verdict }]);
  });

  it('say value, interval, samples and limit in a sentence', () => {
    const [result] = judgeGates([{ name: 'a', metric: 'accuracy', min: '0.80' }], predictions(900, 1000), random());
    expect(result?.message).toBe('accuracy 0.9000 (95 % 0.8798 to 0.9171, n=1000) is at least 0.80');
    expect(result).toMatchObject({ value: 0.9, limit: 0.8, n: 1000 });
  });

  it('count what a share rests on: precision on what was flagged, recall on what is positive', () => {
    const all: Prediction[] = [
      { id: 1, label: 1, prediction: 0 },
      { id: 2, label: 0, prediction: 0 },
    ];
    const [precision, recall] = judgeGates(
      [
        { name: 'p', metric: 'precision', min: '0.5' },
        { name: 'r', metric: 'recall', min: '0.5' },
      ],
      all,
      random(),
    );
    expect(precision).toMatchObject({ n: 0, value: 0, low: 0, high: 1, verdict: 'NeedMore' });
    expect(recall).toMatchObject({ n: 1, value: 0 });
  });

  it('refuse a missing score, naming gate and line, only where a score is needed', () => {
    const unscored: Prediction[] = [...predictions(2, 2), { id: 'x', label: 1, prediction: 1 }];
    const judge = (metric: Gate['metric']) => () => judgeGates([{ name: 'g', metric, min: '0' }], unscored, random());
    expect(judge('accuracy')).not.toThrow();
    expect(judge('rocAuc')).toThrow(Failure);
    expect(judge('rocAuc')).toThrow('Gate g needs a score on every prediction, but line 3 has none');
  });
});

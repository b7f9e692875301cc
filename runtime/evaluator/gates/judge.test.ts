import type { Gate } from '@slipway/crds';
import type { Prediction } from '@slipway/crds/contract';
import { describe, expect, it } from 'vitest';
import { judgeOne, binaryPredictions as predictions } from '../testing/evidence.ts';
import { verdictOf } from './verdict.ts';

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

const resultOf = async (gate: Gate, all: readonly Prediction[]) => (await judgeOne(gate, all)).result;

describe('gates on a metric', () => {
  it.each<[string, Omit<Gate, 'name'>, number, number, string]>([
    ['pass with a bound that clears', { metric: 'accuracy', min: '0.80' }, 900, 1000, 'Pass'],
    ['need more where a point estimate would pass', { metric: 'accuracy', min: '0.80' }, 34, 40, 'NeedMore'],
    ['fail', { metric: 'accuracy', min: '0.80' }, 700, 1000, 'Fail'],
    ['pass a maximum', { metric: 'brier', max: '0.2' }, 900, 1000, 'Pass'],
    ['fail a maximum', { metric: 'logLoss', max: '0.2' }, 700, 1000, 'Fail'],
    ['judge the area under the curve', { metric: 'rocAuc', min: '0.8' }, 900, 1000, 'Pass'],
    ['judge balanced accuracy', { metric: 'balancedAccuracy', min: '0.95' }, 900, 1000, 'Fail'],
    ['judge f1', { metric: 'f1', min: '0.85' }, 900, 1000, 'Pass'],
    ['judge precision', { metric: 'precision', min: '0.85' }, 900, 1000, 'Pass'],
    ['judge recall', { metric: 'recall', min: '0.95' }, 900, 1000, 'Fail'],
    ['judge the true positive rate', { metric: 'truePositiveRate', min: '0.85' }, 900, 1000, 'Pass'],
    ['judge the false positive rate', { metric: 'falsePositiveRate', max: '0.05' }, 900, 1000, 'Fail'],
    ['judge the positive rate', { metric: 'positiveRate', max: '0.6' }, 900, 1000, 'Pass'],
    ['judge calibration', { metric: 'expectedCalibrationError', max: '0.05' }, 900, 1000, 'Pass'],
    ['judge calibration that is off', { metric: 'expectedCalibrationError', max: '0.05' }, 700, 1000, 'Fail'],
  ])('%s', async (_name, gate, right, size, verdict) => {
    expect(await resultOf({ name: 'g', ...gate }, predictions(right, size))).toMatchObject({ name: 'g', verdict });
  });

  it('say value, interval, samples and limit in a sentence', async () => {
    const result = await resultOf({ name: 'a', metric: 'accuracy', min: '0.80' }, predictions(900, 1000));
    expect(result.message).toBe('accuracy 0.9000 (95 % 0.8798 to 0.9171, n=1000) is at least 0.80');
    expect(result).toMatchObject({ value: 0.9, limit: 0.8, n: 1000 });
  });

  it('say how many examples would decide, and that so many do', async () => {
    const gate: Gate = { name: 'a', metric: 'accuracy', min: '0.88' };
    const { message, verdict } = await resultOf(gate, predictions(270, 300));
    expect(verdict).toBe('NeedMore');
    expect(message).toBe(
      'accuracy 0.9000 (95 % 0.8608 to 0.9291, n=300) may be above or below 0.88; about 1,200 held-out examples would decide',
    );
    expect(await resultOf(gate, predictions(1080, 1200))).toMatchObject({ verdict: 'Pass' });
  });

  it('say that no number of examples settles a value at the limit', async () => {
    const { message } = await resultOf({ name: 'a', metric: 'accuracy', min: '0.9' }, predictions(270, 300));
    expect(message).toContain('the value lies at the limit, which no number of held-out examples will settle');
  });

  it('need more below minSamples, whatever they show', async () => {
    const gate: Gate = { name: 'a', metric: 'accuracy', min: '0.5' };
    expect(await resultOf(gate, predictions(29, 29))).toMatchObject({
      verdict: 'NeedMore',
      message:
        'accuracy 1.0000 (95 % 0.8830 to 1.0000, n=29) rests on 29 predictions, fewer than minSamples 30: evaluate on 30 at least',
    });
    expect(await resultOf(gate, predictions(30, 30))).toMatchObject({ verdict: 'Pass' });
    expect(await resultOf({ ...gate, minSamples: 31 }, predictions(30, 30))).toMatchObject({ verdict: 'NeedMore' });
  });

  it('count what a share rests on: precision on what was flagged, recall on what is positive', async () => {
    const negative = Array.from(
      { length: 40 },
      (_, id): Prediction => ({ id, label: id === 0 ? 1 : 0, prediction: 0 }),
    );
    expect(await resultOf({ name: 'p', metric: 'precision', min: '0.5' }, negative)).toMatchObject({
      n: 0,
      value: 0,
      low: 0,
      high: 1,
      verdict: 'NeedMore',
    });
    expect(await resultOf({ name: 'r', metric: 'recall', min: '0.5' }, negative)).toMatchObject({ n: 1, value: 0 });
  });

  it('refuse a missing score, naming gate and prediction, only where a score is needed', async () => {
    const unscored: Prediction[] = [...predictions(40, 40), { id: 'x', label: 1, prediction: 1 }];
    const judge = (metric: NonNullable<Gate['metric']>) => judgeOne({ name: 'g', metric, min: '0' }, unscored);
    await expect(judge('accuracy')).resolves.toBeDefined();
    await expect(judge('rocAuc')).rejects.toThrow(
      'Gate g needs a score on every prediction, but prediction 41 has none; write the probability of class 1 as "score".',
    );
  });

  it.each([
    ['positiveRate', { across: 'carrier', maxGap: '0.01' }],
    ['falsePositiveRate', { max: '0.1' }],
    ['brier', { max: '0.3' }],
  ] as const)(
    'refuse %s where no class is called 1: it would be 0, and pass, whatever the model does',
    async (metric, asks) => {
      const words = Array.from({ length: 100 }, (_, id): Prediction => {
        const label = id % 2 === 0 ? 'late' : 'early';
        return { id, label, prediction: 'late', score: 0.1, slice: { carrier: id % 3 } };
      });
      await expect(judgeOne({ name: 'g', metric, ...asks }, words)).rejects.toThrow(
        `Gate g needs a class 1, which ${metric} is about, but the classes are early, late; write 1 for the class that it is to be about and 0 for the others.`,
      );
    },
  );

  it('refuse words where numbers are needed, and measurements where classes are', async () => {
    const words: Prediction[] = [{ id: 1, label: 'cat', prediction: 2 }];
    await expect(judgeOne({ name: 'g', metric: 'r2', min: '0' }, words)).rejects.toThrow(
      'Gate g needs numbers as labels and predictions, but prediction 1 has words; use a metric of classes such as accuracy.',
    );
    const houses = Array.from({ length: 1200 }, (_, id): Prediction => ({ id, label: id / 7, prediction: id / 7.01 }));
    await expect(judgeOne({ name: 'g', metric: 'f1', min: '0' }, houses)).rejects.toThrow(
      'the labels are measurements with over 1,000 values; use meanAbsoluteError',
    );
    expect(await resultOf({ name: 'g', metric: 'r2', min: '0.9' }, houses)).toMatchObject({ verdict: 'Pass' });
  });

  it('name averages over classes as such', async () => {
    const animals = ['cat', 'dog', 'owl'];
    const all = Array.from({ length: 300 }, (_, id): Prediction => {
      const label = animals[id % 3] as string;
      return { id, label, prediction: id % 10 === 0 ? 'cat' : label };
    });
    const { message, verdict } = await resultOf({ name: 'g', metric: 'f1', min: '0.85' }, all);
    expect(message).toMatch(/^f1 \(macro average of 3 classes\) 0\.93\d\d \(95 % 0\.90/);
    expect(verdict).toBe('Pass');
  });
});

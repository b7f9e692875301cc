import type { Gate } from '@slipway/crds';
import type { Prediction } from '@slipway/crds/contract';
import { describe, expect, it } from 'vitest';
import { judgeOne } from '../testing/evidence.ts';

/** 1,000 examples; each version is wrong on its own last ones. */
const answers = (wrong: number, size = 1000, from = 0): Prediction[] =>
  Array.from({ length: size }, (_, i) => {
    const [id, label] = [from + i, (from + i) % 2];
    const isWrong = i >= size - wrong;
    return { id, label, prediction: isWrong ? 1 - label : label, score: isWrong === (label === 1) ? 0.2 : 0.8 };
  });
const against = (theirs: readonly Prediction[]) => ({
  rival: async (word: string) =>
    word === 'Production' ? { name: 'flights-1.3.0', version: '1.3.0', predictions: theirs } : undefined,
});
const gate: Gate = { name: 'no-regression', metric: 'accuracy', versus: 'Production', margin: '0.02' };
const judge = async (ours: readonly Prediction[], theirs: readonly Prediction[], more: Partial<Gate> = {}) =>
  (await judgeOne({ ...gate, ...more }, ours, against(theirs))).result;

describe('against another version', () => {
  it('passes what is not worse by more than the margin, where two separate intervals would overlap it', async () => {
    // 5 of 1,000 pairs differ: the difference is known to a percent although each share is known to two.
    const result = await judge(answers(105), answers(100));
    expect(result).toMatchObject({ verdict: 'Pass', value: -0.005, limit: -0.02, n: 1000 });
    expect(result.message).toBe(
      'accuracy is 0.0050 worse than in 1.3.0 (95 % -0.0117 to -0.0012, n=1000 pairs) and is at least -0.02',
    );
  });

  it('fails what is surely worse by more', async () => {
    expect(await judge(answers(150), answers(100))).toMatchObject({ verdict: 'Fail' });
  });

  it('needs more where neither is sure, and says how much', async () => {
    const result = await judge(answers(115), answers(100));
    expect(result.verdict).toBe('NeedMore');
    expect(result.message).toMatch(/about [\d,]+ held-out examples would decide$/);
  });

  it('turns a metric of which less is better', async () => {
    const far = (all: Prediction[]) => all.map((one) => ({ ...one, score: one.score === 0.2 ? 0.4 : 0.6 }));
    const better = await judge(answers(20), far(answers(20)), { metric: 'brier', margin: '0' });
    expect(better).toMatchObject({ verdict: 'Pass' });
    expect(better.message).toContain('better than in 1.3.0');
    expect(await judge(far(answers(20)), answers(20), { metric: 'brier', margin: '0' })).toMatchObject({
      verdict: 'Fail',
    });
    expect(await judge(answers(20), answers(20), { metric: 'falsePositiveRate', margin: '0.05' })).toMatchObject({
      verdict: 'Pass',
    });
  });

  it.each(['rocAuc', 'f1', 'precision', 'logLoss', 'brier', 'expectedCalibrationError'] as const)(
    'compares %s by resampling the pairs',
    async (metric) => {
      const { result, finding } = await judgeOne({ ...gate, metric, margin: '0.1' }, answers(40), against(answers(45)));
      expect(finding.method).toMatch(/bootstrap of the (pairs|differences)/);
      expect(result.verdict).toBe('Pass');
      expect(result.low).toBeLessThanOrEqual(result.value);
      expect(result.high).toBeGreaterThanOrEqual(result.value);
    },
  );

  it('takes both for answers to the same classes, also where one version or a slice shows two of three', async () => {
    // Of class 0 half are wrong in both, of class 1 none: the mean recall of both is 0.75.
    const sure = (wrong: number, kind: string, from: number): Prediction[] =>
      Array.from({ length: 200 }, (_, i) => {
        const label = i % 2;
        return { id: from + i, label, prediction: label === 0 && i % 4 === 0 ? wrong : label, slice: { kind } };
      });
    const third = Array.from({ length: 40 }, (_, i) => ({
      id: 900 + i,
      label: 2,
      prediction: 2,
      slice: { kind: 'b' },
    }));
    const ours = [...sure(1, 'a', 0), ...third];
    const theirs = [...sure(2, 'a', 0), ...third];
    const result = await judge(ours, theirs, { metric: 'truePositiveRate', slice: 'kind == "a"' });
    expect(result.message).toMatch(/^truePositiveRate \(macro average of 3 classes\) where kind == "a" is as in 1.3.0/);
    expect(result).toMatchObject({ value: 0, n: 200 });
  });

  it('counts shared ids only, and tells their share', async () => {
    const result = await judge(answers(50), answers(50, 1000, 400));
    expect(result.n).toBe(600);
    expect(result.message).toMatch(/; 600 of 1,000 ids are shared$/);
  });

  it('needs more where hardly any id is shared', async () => {
    const result = await judge(answers(50), answers(50, 1000, 990));
    expect(result).toMatchObject({ verdict: 'NeedMore', n: 10 });
    expect(result.message).toContain('10 examples are shared with 1.3.0 by id, fewer than minSamples 30');
  });

  it('refuses one id with two labels: those are other examples', async () => {
    const theirs = answers(50).map((one) => (one.id === 7 ? { ...one, label: 0 } : one));
    await expect(judge(answers(50), theirs)).rejects.toThrow(
      'example 7 has the label 1, but 0 in flights-1.3.0: the two were not evaluated on the same held-out examples',
    );
  });

  it('refuses an id that stands twice', async () => {
    await expect(judge([...answers(1, 50), ...answers(1, 50)], answers(50))).rejects.toThrow(
      'two predictions have the id 0; examples are paired by id',
    );
  });

  it('passes a first version, which has nothing to be compared with, and says so', async () => {
    const result = await judge(answers(50), [], { versus: 'Parent' });
    expect(result).toMatchObject({ verdict: 'Pass', n: 0 });
    expect(result.message).toBe('accuracy: there is no Parent version to compare with');
  });

  it('passes nothing against a version that was named and is not there: a slip of the pen would open the gate', async () => {
    const result = await judge(answers(50), [], { versus: '1.2.0' });
    expect(result).toMatchObject({ verdict: 'NeedMore', n: 0 });
    expect(result.message).toBe(
      'accuracy: there is no version 1.2.0 to compare with: name one that is there and verified, or write versus: Production',
    );
  });

  it('compares within a slice', async () => {
    const sliced = (all: Prediction[]) =>
      all.map((one) => ({ ...one, slice: { weekend: Number(one.id) < 500 ? 1 : 0 } }));
    const result = await judge(sliced(answers(100)), answers(300), { slice: 'weekend == 1' });
    expect(result).toMatchObject({ n: 500, value: 0 });
    expect(result.message).toContain('accuracy where weekend == 1');
  });
});

import type { Gate } from '@slipway/crds';
import type { Prediction } from '@slipway/crds/contract';
import { describe, expect, it } from 'vitest';
import { judgeOne } from '../testing/evidence.ts';

/** Each carrier with its examples and how many of them are right. */
const carriers = (groups: Readonly<Record<string, readonly [right: number, size: number]>>): Prediction[] =>
  Object.entries(groups).flatMap(([carrier, [right, size]]) =>
    Array.from({ length: size }, (_, i): Prediction => {
      const label = i % 2;
      return { id: `${carrier}-${i}`, label, prediction: i < right ? label : 1 - label, slice: { carrier } };
    }),
  );
const gate: Gate = { name: 'fairness', metric: 'accuracy', across: 'carrier', maxGap: '0.10' };

describe('across groups', () => {
  it('passes groups that are surely close', async () => {
    const { result, finding } = await judgeOne(gate, carriers({ AA: [900, 1000], DL: [910, 1000], UA: [905, 1000] }));
    expect(result).toMatchObject({ verdict: 'Pass', n: 3000 });
    expect(result.value).toBeCloseTo(0.01, 12);
    expect(result.message).toMatch(
      /gap 0\.0100 \(95 % 0\.0000 to 0\.03\d\d, n=3000\), from 0\.9000 in AA to 0\.9100 in DL, is at most 0\.10/,
    );
    expect(finding.facts?.['groups']).toHaveLength(3);
  });

  it('fails groups that are surely apart', async () => {
    const { result } = await judgeOne(gate, carriers({ AA: [950, 1000], DL: [600, 1000], UA: [900, 1000] }));
    expect(result.verdict).toBe('Fail');
  });

  it('does not take the chance of many small groups for a gap', async () => {
    // Twenty equal groups of 40: their largest difference is 0.2 by chance.
    const groups = Object.fromEntries(Array.from({ length: 20 }, (_, i) => [`C${i}`, [36 - (i % 9), 40] as const]));
    const { result } = await judgeOne(gate, carriers(groups));
    expect(result.value).toBeCloseTo(0.2, 12);
    expect(result.verdict).toBe('NeedMore');
    expect(result.low).toBe(0);
    expect(result.message).toMatch(/of each group about [\d,]+ held-out examples would decide/);
  });

  it('tells how many predictions are in no group: who is left out is not judged', async () => {
    const all = carriers({ AA: [900, 1000], DL: [910, 1000], XX: [600, 1000] });
    const left = all.map(({ slice, ...rest }) =>
      slice?.['carrier'] === 'XX' ? rest : { ...rest, slice: slice ?? {} },
    );
    const { result } = await judgeOne(gate, left);
    expect(result).toMatchObject({ verdict: 'Pass', n: 2000 });
    expect(result.message).toMatch(/; 1,000 predictions without carrier are in no group$/);
  });

  it('names groups that are too small, and passes over none', async () => {
    const { result } = await judgeOne(gate, carriers({ AA: [950, 1000], DL: [10, 10], UA: [29, 29], WN: [30, 30] }));
    expect(result.verdict).toBe('NeedMore');
    expect(result.message).toContain('fewer than 30 predictions in DL (10), UA (29): evaluate on more of them');
    expect(
      (await judgeOne({ ...gate, minSamples: 10, maxGap: '0.9' }, carriers({ AA: [9, 10], DL: [10, 10] }))).result
        .verdict,
    ).toBe('Pass');
  });

  it('names groups in which the metric is undefined', async () => {
    const negative = carriers({ DL: [40, 40] }).map((one) => ({ ...one, label: 0 }));
    const { result } = await judgeOne({ ...gate, metric: 'truePositiveRate' }, [
      ...carriers({ AA: [90, 100] }),
      ...negative,
    ]);
    expect(result).toMatchObject({ verdict: 'NeedMore' });
    expect(result.message).toContain('undefined in DL: their examples are of one class only');
  });

  it('needs two groups', async () => {
    const { result } = await judgeOne(gate, carriers({ AA: [90, 100] }));
    expect(result).toMatchObject({ verdict: 'NeedMore' });
    expect(result.message).toContain('there is only the group AA; a gap needs two');
  });

  it('refuses a column that is nowhere, and one that is a measurement', async () => {
    await expect(judgeOne({ ...gate, across: 'airline' }, carriers({ AA: [9, 100] }))).rejects.toThrow(
      'no prediction has a slice column "airline"; those there are: carrier',
    );
    const many = Object.fromEntries(Array.from({ length: 101 }, (_, i) => [`C${i}`, [1, 1] as const]));
    await expect(judgeOne(gate, carriers(many))).rejects.toThrow('column carrier has 101 values, too many for groups');
  });
});

import type { Baseline, Summarised } from '@slipway/crds/contract';
import { BASELINE_SCHEMA } from '@slipway/crds/contract';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { answered, binned, evidenceDocument } from '../../test/evidenceDocument.ts';
import { psiOf } from '../domain/analysis/distances.ts';
import { carriedOver, inCommonBins } from './commonBins.ts';
import { PodEvidence } from './pods.ts';
import type { EvidenceQuestion } from './source.ts';

const numeric = (edges: readonly number[], min = 0, max = 100, name = 'delay') => ({
  name,
  tensor: 'y',
  index: 0,
  kind: 'numeric' as const,
  count: 1,
  min,
  max,
  mean: 0,
  m2: 1,
  bins: { edges: [...edges], counts: new Array<number>(edges.length + 1).fill(1) },
});
const categorical = (...values: readonly (string | number)[]): Summarised => ({
  name: 'class',
  tensor: 'y',
  index: 0,
  kind: 'categorical',
  count: 1,
  categories: values.map((value) => ({ value, count: 1 })),
  other: 0,
});
const look = (candidate: Record<string, number[]>, stable: Record<string, number[]>) => ({
  look: 1,
  candidate: new Map(Object.entries(candidate)),
  stable: new Map(Object.entries(stable)),
});

describe('counts carried over to other edges', () => {
  test('stay as they are where the edges are the same', () => {
    expect(carriedOver([1, 2, 3], numeric([10, 20]), [10, 20])).toEqual([1, 2, 3]);
  });

  test('are spread evenly within a bin, whose outer ends are those that training saw', () => {
    // 0-10, 10-20, 20-100 into 0-5, 5-15, 15-60, 60-100.
    expect(carriedOver([10, 20, 80], numeric([10, 20]), [5, 15, 60])).toEqual([5, 15, 10 + 40, 40]);
  });

  test('of a bin without a width lie where its one value does', () => {
    expect(carriedOver([7, 0], numeric([0], 0, 1), [0, 1])).toEqual([7, 0, 0]);
    expect(carriedOver([0, 7], numeric([1], 0, 1), [0.5])).toEqual([0, 7]);
  });

  const edgesOf = fc
    .uniqueArray(fc.integer({ min: -50, max: 150 }), { minLength: 1, maxLength: 8 })
    .map((e) => e.sort((a, b) => a - b));
  test('are as many as before, and none is negative', () => {
    fc.assert(
      fc.property(edgesOf, edgesOf, fc.array(fc.nat(1000), { minLength: 9, maxLength: 9 }), (from, to, many) => {
        const counts = many.slice(0, from.length + 1);
        const carried = carriedOver(counts, numeric(from), to);
        expect(carried.reduce((a, b) => a + b, 0)).toBeCloseTo(
          counts.reduce((a, b) => a + b, 0),
          6,
        );
        expect(Math.min(...carried)).toBeGreaterThanOrEqual(0);
      }),
    );
  });

  test('of the same normal distribution in the deciles of two samples come out less than a PSI of 0.01 apart', () => {
    const deciles = [-1.2816, -0.8416, -0.5244, -0.2533, 0, 0.2533, 0.5244, 0.8416, 1.2816];
    // Deciles of another sample, each off by a tenth of a standard deviation or less.
    const off = [0.1, -0.05, 0.08, -0.09, 0.04, -0.02, 0.07, -0.1, 0.06];
    const others = deciles.map((edge, i) => edge + (off[i] ?? 0));
    const cdf = (x: number): number => {
      const steps = 4000;
      let sum = 0;
      for (let i = 0; i < steps; i++) {
        const z = -4 + ((x + 4) * (i + 0.5)) / steps;
        sum += (Math.exp((-z * z) / 2) / Math.sqrt(2 * Math.PI)) * ((x + 4) / steps);
      }
      return sum;
    };
    const shares = (edges: readonly number[]): number[] => {
      const at = [0, ...edges.map(cdf), 1];
      return at.slice(1).map((p, i) => 100_000 * (p - (at[i] ?? 0)));
    };
    const carried = carriedOver(shares(others), numeric(others, -4, 4), deciles);
    expect(psiOf(carried, shares(deciles), 0.05).value).toBeLessThan(0.01);
  });
});

describe('a look in common bins', () => {
  test('puts categories that only one version lists with the rest of both', () => {
    const found = inCommonBins(
      look({ class: [10, 20, 30, 1] }, { class: [5, 6, 2] }),
      [categorical('late', 'early', 'lost')],
      [categorical('early', 'diverted')],
    );
    expect(found.predictions).toEqual([{ name: 'class', candidate: [20, 41], stable: [5, 8] }]);
  });

  test.each<[string, Baseline['predictions'], Baseline['predictions']]>([
    ['only one version makes', [numeric([1])], []],
    [
      'is a number for one and a class for the other',
      [numeric([1])],
      [{ ...categorical('a'), name: 'delay' } as Summarised],
    ],
    ['has more counts than its baseline has bins', [numeric([1, 2])], [numeric([1])]],
  ])('leaves out a prediction that %s', (_why, of, like) => {
    expect(inCommonBins(look({ delay: [1, 2] }, { delay: [1, 2] }), of, like)).toEqual({ look: 1, predictions: [] });
  });
});

test('the baselines of both versions are asked for once, and a look waits for them', async () => {
  const baseline = (edges: readonly number[]): Baseline => ({
    schema: BASELINE_SCHEMA,
    features: [],
    predictions: [numeric(edges)],
  });
  const asked: string[] = [];
  const source = new PodEvidence({
    fetchText: async (url) => {
      const stable = url.includes('10.0.0.1');
      if (url.endsWith('baseline')) {
        asked.push(url);
        return JSON.stringify(baseline(stable ? [50] : [25]));
      }
      const predictions = [binned('delay', stable ? [80, 20] : [50, 150])];
      return JSON.stringify(evidenceDocument({ requests: answered(200), predictions }));
    },
    now: () => new Date('2030-01-01T12:00:01Z'),
  });
  const question: EvidenceQuestion = {
    service: { namespace: 'ml', name: 'flights' },
    model: 'flights',
    rolloutID: 'r',
    startedAt: new Date('2030-01-01T12:00:00Z'),
    step: '1',
    stepStartedAt: new Date('2030-01-01T12:00:00Z'),
    candidate: 'new',
    stable: 'old',
    token: '',
    pods: [
      { uid: 'a', name: 'a', ip: '10.0.0.1', revision: 'old' },
      { uid: 'b', name: 'b', ip: '10.0.0.2', revision: 'new' },
    ],
    thresholdsMs: [],
    predictions: true,
    poll: () => undefined,
  };
  const signal = new AbortController().signal;
  expect((await source.read(question, signal))['new']?.predictionLook).toBeUndefined();
  await new Promise((resolve) => setImmediate(resolve));
  // 150 of the candidate lie evenly from 25 to 100.
  expect((await source.read(question, signal))['new']?.predictionLook).toEqual({
    look: 1,
    predictions: [{ name: 'delay', candidate: [50 + 50, 100], stable: [80, 20] }],
  });
  expect(asked).toHaveLength(2);
});

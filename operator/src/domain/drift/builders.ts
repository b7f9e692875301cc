import type { Baseline, DriftSpec, Summarised } from '@slipway/crds';
import { type BinnedCounts, type Counts, NO_BINS } from './counts.ts';

/** Baselines, counts and specs for tests. */
export const driftSpec = (spec: Partial<DriftSpec> = {}): DriftSpec => ({
  window: '1h',
  psi: '0.2',
  falseAlarms: { max: 1, per: '30d' },
  minSamples: 200,
  missing: '10%',
  action: 'Alert',
  ...spec,
});

export const numeric = (name: string, counts: readonly number[]): Summarised => ({
  name,
  tensor: 'numeric',
  index: 0,
  kind: 'numeric',
  count: counts.reduce((a, b) => a + b, 0),
  min: 0,
  max: counts.length,
  mean: counts.length / 2,
  m2: 1,
  bins: { edges: counts.slice(1).map((_, i) => i + 1), counts: [...counts] },
});

/** Categories a, b, c, … and then `other`. */
export const categorical = (name: string, counts: readonly number[], other = 0): Summarised => ({
  name,
  tensor: name,
  index: 0,
  kind: 'categorical',
  count: counts.reduce((a, b) => a + b, other),
  categories: counts.map((count, i) => ({ value: String.fromCharCode(97 + i), count })),
  other,
});

export const baseline = (
  features: readonly Summarised[],
  predictions: readonly Summarised[] = [],
  rows?: number,
): Baseline => ({
  schema: 'slipway.dev/baseline/v1',
  features: [...features],
  predictions: [...predictions],
  ...(rows === undefined ? {} : { dataset: { name: 'train', digest: 'sha256:', rows } }),
});

export const binned = (
  name: string,
  counts: readonly number[],
  faults: Partial<Omit<BinnedCounts, 'name' | 'counts'>> = {},
): BinnedCounts => ({ name, counts, missing: 0, nonFinite: 0, outOfRange: 0, unseen: 0, ...faults });

export const counted = (features: readonly BinnedCounts[], more: Partial<Counts> = {}): Counts => ({
  rows: Math.max(0, ...features.map(({ counts }) => counts.reduce((a, b) => a + b, 0))),
  outliers: { judged: 0, beyond: 0 },
  labels: { right: 0, wrong: 0 },
  calibration: NO_BINS,
  features,
  predictions: [],
  ...more,
});

/** Counts of `rows` rows that fall into bins with these weights, as near as whole rows get. */
export const spread = (rows: number, weights: readonly number[]): readonly number[] => {
  const total = weights.reduce((a, b) => a + b, 0);
  let before = 0;
  let placed = 0;
  return weights.map((weight) => {
    before += weight;
    const until = Math.round((rows * before) / total);
    const here = until - placed;
    placed = until;
    return here;
  });
};

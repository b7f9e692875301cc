import { BASELINE_SCHEMA, type Baseline, type Signature } from '@slipway/crds/contract';
import { CountingEvidence, type EvidenceOptions } from '../countingEvidence.ts';
import type { Answered } from '../modelEvidence.ts';

export const SIGNATURE: Signature = {
  inputs: [
    { name: 'x', datatype: 'FP32', shape: [-1, 2] },
    { name: 'colour', datatype: 'BYTES', shape: [-1, 1] },
  ],
  outputs: [{ name: 'scores', datatype: 'FP32', shape: [-1, 3] }],
};

export const BASELINE: Baseline = {
  schema: BASELINE_SCHEMA,
  features: [
    {
      name: 'distance',
      tensor: 'x',
      index: 1,
      kind: 'numeric',
      count: 100,
      min: 0,
      max: 10,
      mean: 5,
      m2: 400,
      bins: { edges: [2, 6], counts: [20, 40, 40] },
    },
    {
      name: 'colour',
      tensor: 'colour',
      index: 0,
      kind: 'categorical',
      count: 100,
      categories: [
        { value: 'red', count: 60 },
        { value: 'say "blue"', count: 40 },
      ],
      other: 0,
    },
  ],
  predictions: [
    {
      name: 'first score',
      tensor: 'scores',
      index: 0,
      kind: 'numeric',
      count: 100,
      min: 0,
      max: 1,
      mean: 0.5,
      m2: 10,
      bins: { edges: [0.5], counts: [50, 50] },
    },
  ],
};

export const START = new Date('2026-01-01T00:00:00.000Z');

/** Evidence of a model without a baseline, but for what is given. */
export const evidenceWith = (options: Partial<EvidenceOptions> = {}): CountingEvidence =>
  new CountingEvidence({
    signature: SIGNATURE,
    baseline: undefined,
    labels: undefined,
    feedback: { maxAnswers: 100, maxAgeSeconds: 60 },
    epoch: 'e1',
    startedAt: START,
    random: () => 0.5,
    ...options,
  });

export const answered = (outcome: Answered['outcome'], latencyMs: number, more: Partial<Answered> = {}): Answered => ({
  outcome,
  protocol: 'rest',
  latencyMs,
  ...more,
});

import * as z from 'zod';
import { type CelRule, cel } from '../common/cel.ts';
import { decimal, mapList } from '../common/fields.ts';
import { VERDICTS } from '../contract.ts';

/** Metrics the verifier computes from the predictions file. Names as in the evaluation literature (camelCase). */
export const GATE_METRICS = [
  'accuracy',
  'balancedAccuracy',
  'precision',
  'recall',
  'f1',
  'rocAuc',
  'logLoss',
  'brier',
] as const;

const oneLimit: CelRule<{ min?: string | undefined; max?: string | undefined }> = {
  rule: 'has(self.min) != has(self.max)',
  message: 'needs exactly one of min (the metric must be at least this) and max (at most this)',
  holds: (self) => (self.min === undefined) !== (self.max === undefined),
};

export const gateSchema = cel(
  z.object({
    name: z.string().min(1).max(63).describe('Name of the gate, unique in the list.'),
    metric: z
      .enum(GATE_METRICS)
      .describe('Metric computed from evaluation/predictions.jsonl. Positive class: label 1.'),
    min: decimal()
      .optional()
      .describe('The LOWER 95 % confidence bound of the metric must be at least this. Exactly one of min and max.'),
    max: decimal()
      .optional()
      .describe('The UPPER 95 % confidence bound of the metric must be at most this. Exactly one of min and max.'),
  }),
  oneLimit,
);
export type Gate = z.infer<typeof gateSchema>;

export const gatesField = () =>
  mapList(gateSchema, 32, 'name')
    .optional()
    .describe('Quality gates. All must pass before a version may serve. No gates: only the digest is verified.');

export const gateStatusSchema = z.object({
  name: z.string().max(63).describe('Name of the gate.'),
  verdict: z
    .enum(VERDICTS)
    .describe(
      'Pass: the confidence bound clears the limit. Fail: the opposite bound misses it. NeedMore: too few samples to say.',
    ),
  value: z.string().max(24).describe('Measured value.'),
  low: z.string().max(24).describe('Lower 95 % confidence bound.'),
  high: z.string().max(24).describe('Upper 95 % confidence bound.'),
  limit: z.string().max(24).describe('The min or max of the gate.'),
  n: z.int().min(0).meta({ format: 'int64' }).describe('Samples the value rests on.'),
  message: z.string().max(512).describe('The verdict in a sentence.'),
});

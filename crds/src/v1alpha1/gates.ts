import * as z from 'zod';
import { type CelRule, cel, matches } from '../common/cel.ts';
import { decimal, mapList, quantity, requestTimeout, tolerance } from '../common/fields.ts';
import { VERDICTS } from '../contract.ts';

/** Metrics the verifier computes from the predictions file. Names as in the evaluation literature (camelCase). */
export const GATE_METRICS = [
  'accuracy',
  'balancedAccuracy',
  'precision',
  'recall',
  'f1',
  'truePositiveRate',
  'falsePositiveRate',
  'positiveRate',
  'rocAuc',
  'logLoss',
  'brier',
  'expectedCalibrationError',
  'meanAbsoluteError',
  'rootMeanSquaredError',
  'r2',
] as const;

/** What a gate asks: exactly one. */
export const GATE_KINDS = ['metric', 'reported', 'latency', 'parity', 'maxBytes'] as const;

interface GateFields {
  readonly metric?: string | undefined;
  readonly reported?: string | undefined;
  readonly latency?: object | undefined;
  readonly parity?: object | undefined;
  readonly maxBytes?: string | undefined;
  readonly min?: string | undefined;
  readonly max?: string | undefined;
  readonly versus?: string | undefined;
  readonly margin?: string | undefined;
  readonly across?: string | undefined;
  readonly maxGap?: string | undefined;
  readonly slice?: string | undefined;
  readonly minSamples?: number | undefined;
}

const has = (...fields: readonly (keyof GateFields)[]): string[] => fields.map((field) => `has(self.${field})`);
const set = (self: GateFields, ...fields: readonly (keyof GateFields)[]): number =>
  fields.filter((field) => self[field] !== undefined).length;
const count = (terms: readonly string[]): string => terms.map((term) => `(${term} ? 1 : 0)`).join(' + ');

const oneKind: CelRule<GateFields> = {
  rule: `${count(has(...GATE_KINDS))} == 1`,
  message: 'needs exactly one of metric, reported, latency, parity and maxBytes',
  holds: (self) => set(self, ...GATE_KINDS) === 1,
};

/** A metric is held against a number, against another version, or across groups. */
const oneComparison: CelRule<GateFields> = {
  rule: `!has(self.metric) || ${count(has('min', 'max', 'versus', 'across'))} == 1`,
  message:
    'a metric needs exactly one of min (it must be at least this), max (at most this), versus (another version) and across (groups)',
  holds: (self) => self.metric === undefined || set(self, 'min', 'max', 'versus', 'across') === 1,
};

/** What a training reports is a number: there is nothing in it to pair or to group. */
const comparesPredictions: CelRule<GateFields> = {
  rule: 'has(self.metric) || !has(self.versus) && !has(self.across)',
  message:
    'versus and across compare predictions, so they go with metric: write metric instead, or hold a reported value by min or max',
  holds: (self) => self.metric !== undefined || set(self, 'versus', 'across') === 0,
};

const reportedLimit: CelRule<GateFields> = {
  rule: `has(self.metric) || (has(self.reported) ? has(self.min) != has(self.max) : !has(self.min) && !has(self.max))`,
  message:
    'min and max hold a metric or a reported value: exactly one of them with reported, none with the other kinds',
  holds: (self) => self.metric !== undefined || set(self, 'min', 'max') === (self.reported === undefined ? 0 : 1),
};

const comparisonParts: CelRule<GateFields> = {
  rule: 'has(self.across) == has(self.maxGap) && (has(self.versus) || !has(self.margin))',
  message: 'across needs maxGap, and margin needs versus',
  holds: (self) =>
    (self.across === undefined) === (self.maxGap === undefined) &&
    (self.versus !== undefined || self.margin === undefined),
};

const slicesOfPredictions: CelRule<GateFields> = {
  rule: 'has(self.metric) || !has(self.slice) && !has(self.minSamples)',
  message: 'slice and minSamples choose predictions: they go with metric',
  holds: (self) => self.metric !== undefined || set(self, 'slice', 'minSamples') === 0,
};

const latencySchema = cel(
  z.object({
    p50: requestTimeout().optional().describe('Limit of the median, such as 5ms.'),
    p95: requestTimeout().optional().describe('Limit of the 95th percentile.'),
    p99: requestTimeout().optional().describe('Limit of the 99th percentile.'),
    batch: z.int().min(1).max(1024).meta({ format: 'int32' }).default(1).describe('Rows of each request.'),
    requests: z
      .int()
      .min(100)
      .max(100_000)
      .meta({ format: 'int32' })
      .default(1000)
      .describe('Requests that are timed, after a warm-up.'),
  }),
  {
    rule: `${count(['p50', 'p95', 'p99'].map((field) => `has(self.${field})`))} == 1`,
    message: 'needs exactly one of p50, p95 and p99',
    holds: ({ p50, p95, p99 }) => [p50, p95, p99].filter((limit) => limit !== undefined).length === 1,
  },
);

export const gateSchema = cel(
  z.object({
    name: z.string().min(1).max(63).describe('Name of the gate, unique in the list.'),
    metric: z
      .enum(GATE_METRICS)
      .optional()
      .describe(
        'Metric computed from evaluation/predictions.jsonl. Positive class: label 1. expectedCalibrationError uses 15 bins of equal mass; its own bias at the sample size is taken off.',
      ),
    min: decimal().optional().describe('The LOWER 95 % confidence bound of the metric must be at least this.'),
    max: decimal().optional().describe('The UPPER 95 % confidence bound of the metric must be at most this.'),
    versus: cel(
      z.string().max(64),
      matches(
        /^(Production|Parent|[0-9]+\.[0-9]+\.[0-9]+)$/,
        'must be Production, Parent (the version it was retrained to follow) or a version such as 1.3.0',
      ),
    )
      .optional()
      .describe(
        'Version that it must not be worse than, on the same examples by id: the bound of the paired difference must clear margin. Without such a version the gate passes and says so.',
      ),
    margin: decimal().optional().describe('How much worse is still as good (non-inferiority). Default 0.'),
    across: z
      .string()
      .min(1)
      .max(64)
      .optional()
      .describe('Column of slice: the metric is computed for each of its values.'),
    maxGap: decimal()
      .optional()
      .describe('The UPPER bound of the largest gap between two groups must be at most this. Needs across.'),
    slice: z
      .string()
      .min(1)
      .max(256)
      .optional()
      .describe(
        'Which predictions count, by their slice columns: <column> ==, !=, <, <=, > or >= <number or "text">, joined by &&.',
      ),
    minSamples: z
      .int()
      .min(1)
      .max(10_000_000)
      .meta({ format: 'int32' })
      .optional()
      .describe('Fewer predictions than this (in each group of across) are NeedMore, whatever they show. Default 30.'),
    reported: z
      .string()
      .min(1)
      .max(128)
      .optional()
      .describe(
        'Metric that the training reports in evaluation/: metrics.json, a Hugging Face model-index or a TFMA result. Held by its own interval where it has one, else as it is, and marked as reported.',
      ),
    latency: latencySchema
      .optional()
      .describe(
        'Latency of the model in the serving runtime, measured in the verification pod: the upper 95 % bound of the quantile.',
      ),
    parity: z
      .object({
        tolerance: tolerance().describe(
          'How far answers may lie from those of the training framework in golden.jsonl.',
        ),
      })
      .optional()
      .describe('The exported model answers as the trained one did. Needs golden.jsonl.'),
    maxBytes: quantity().optional().describe('Size of the artifact at most, such as 500Mi.'),
  }),
  oneKind,
  oneComparison,
  comparesPredictions,
  reportedLimit,
  comparisonParts,
  slicesOfPredictions,
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

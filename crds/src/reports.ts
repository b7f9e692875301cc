/** What containers write for others to read: files of a training, and the last words of our own programs. */
import * as z from 'zod';

/** Exit of our own containers: the termination message is this document, so a status can name the cause. */
export const TERMINATION_SCHEMA = 'slipway.dev/termination/v1';
export const terminationSchema = z.object({
  schema: z.literal(TERMINATION_SCHEMA),
  reason: z.string().max(128),
  message: z.string().max(2048),
});
export type Termination = z.infer<typeof terminationSchema>;

/** Causes that our containers name. PascalCase: they become condition reasons unchanged. */
export const TERMINATION_REASONS = [
  'ArtifactMissing',
  'DigestMismatch',
  'ModelMissing',
  'ModelInvalid',
  'SignatureInvalid',
  'GoldenMismatch',
  'PredictionsMissing',
  'PredictionsInvalid',
  'StoreUnavailable',
  'OutputInvalid',
  'ReportTooLarge',
  'ConfigurationInvalid',
  'CredentialsRefused',
  'StoreFull',
  'ArtifactOversized',
  'SignatureMissing',
  'SignatureMismatch',
  'DatasetMissing',
  'DatasetInvalid',
  'Rendezvous',
  'RivalUnavailable',
  'EvaluationInvalid',
] as const;
export type TerminationReason = (typeof TERMINATION_REASONS)[number];

/** Open Inference Protocol tensor: shape uses -1 for a dimension the caller chooses. */
export const tensorSchema = z.object({
  name: z.string().max(256),
  datatype: z.enum([
    'BOOL',
    'UINT8',
    'UINT16',
    'UINT32',
    'UINT64',
    'INT8',
    'INT16',
    'INT32',
    'INT64',
    'FP16',
    'BF16',
    'FP32',
    'FP64',
    'BYTES',
  ]),
  shape: z.array(z.int()).max(8),
  /** Names of the last dimension's entries, where it has more than one: they let callers send rows by feature name. */
  columns: z.array(z.string().max(256)).max(4096).optional(),
});
export type Tensor = z.infer<typeof tensorSchema>;

/** Inputs, and outputs, that a signature may name: what a termination message of 4 KiB and a status hold. */
export const MOST_TENSORS = 64;

export const signatureSchema = z.object({
  inputs: z.array(tensorSchema).max(MOST_TENSORS),
  outputs: z.array(tensorSchema).max(MOST_TENSORS),
});
export type Signature = z.infer<typeof signatureSchema>;

/** One line of golden.jsonl: a request with the answer it must get, compared to `tolerance` (absolute + relative). */
export const goldenSchema = z.object({
  inputs: z.array(tensorSchema.extend({ data: z.array(z.union([z.number(), z.boolean(), z.string()])) })),
  outputs: z.array(tensorSchema.extend({ data: z.array(z.union([z.number(), z.boolean(), z.string()])) })),
  tolerance: z.number().positive().default(1e-4),
});
export type Golden = z.infer<typeof goldenSchema>;

/**
 * One line of predictions.jsonl: a held-out example. `label` is the true class, `prediction` the class the model
 * chose, `score` its probability of the positive class (1) where the model is a binary classifier; `slice` holds
 * the columns later gates slice by.
 */
export const predictionSchema = z.object({
  id: z.union([z.string(), z.number()]),
  label: z.union([z.number(), z.string()]),
  prediction: z.union([z.number(), z.string()]),
  score: z.number().min(0).max(1).optional(),
  slice: z.record(z.string(), z.union([z.number(), z.string()])).optional(),
});
export type Prediction = z.infer<typeof predictionSchema>;

/** What can't be written as a number in JSON. Python's json module writes it bare, other trainers as text. */
export const NON_FINITE = ['NaN', 'Infinity', '-Infinity'] as const;

/** status/progress.json, written whole (write + rename) by the training container; also what the agent serves. */
export const progressSchema = z.object({
  step: z.int().min(0),
  total: z.int().min(0).optional(),
  epoch: z.int().min(0).optional(),
  metrics: z.record(z.string().max(64), z.number()).optional(),
  etaSeconds: z.number().min(0).optional(),
  at: z.string().optional(),
  /** Filled in by the agent: metrics that are no finite number, and where the report came from. */
  nonFinite: z.record(z.string().max(64), z.literal(NON_FINITE)).optional(),
  source: z.enum(['File', 'Post', 'Log']).optional(),
});
export type Progress = z.infer<typeof progressSchema>;

/** Termination message of the publish container. */
export const PUBLISH_SCHEMA = 'slipway.dev/publish/v1';
export const publishReportSchema = z.object({
  schema: z.literal(PUBLISH_SCHEMA),
  uri: z.string(),
  digest: z.string().regex(/^sha256:[0-9a-f]{64}$/),
  files: z.int().min(1),
  bytes: z.int().min(1),
});
export type PublishReport = z.infer<typeof publishReportSchema>;

/** Termination message of the container that prepares a training pod. */
export const PREPARED_SCHEMA = 'slipway.dev/prepared/v1';
export const preparedReportSchema = z.object({
  schema: z.literal(PREPARED_SCHEMA),
  datasets: z.array(z.object({ name: z.string().max(63), digest: z.string(), bytes: z.int().min(0) })).max(16),
  /** Step of the checkpoint that training resumes from. */
  resumedFrom: z.string().max(256).optional(),
});
export type PreparedReport = z.infer<typeof preparedReportSchema>;

export const VERDICTS = ['Pass', 'Fail', 'NeedMore'] as const;
export type Verdict = (typeof VERDICTS)[number];

/** What the verifier measured for one gate. `low`/`high` are the two-sided 95 % interval of `value` unless the gate says otherwise. */
export const gateResultSchema = z.object({
  name: z.string().max(63),
  verdict: z.enum(VERDICTS),
  value: z.number(),
  low: z.number(),
  high: z.number(),
  limit: z.number(),
  n: z.int().min(0),
  message: z.string().max(512),
});
export type GateResult = z.infer<typeof gateResultSchema>;

/** Termination message of the verification container. */
export const VERIFICATION_SCHEMA = 'slipway.dev/verification/v1';
export const verificationReportSchema = z.object({
  schema: z.literal(VERIFICATION_SCHEMA),
  digest: z.string(),
  files: z.int(),
  bytes: z.int(),
  signature: signatureSchema,
  gates: z.array(gateResultSchema).max(64),
  /** Where the report, the card, the bill of materials and the provenance were put. */
  reports: z.object({ uri: z.string(), digest: z.string() }).optional(),
  /** Why there are none, in a sentence: the store can only be read, say. The version is judged all the same. */
  reportsSkipped: z.string().max(256).optional(),
  /** sha256 of the public key (DER) that verified the artifact's signature. */
  signedBy: z.string().optional(),
});
export type VerificationReport = z.infer<typeof verificationReportSchema>;

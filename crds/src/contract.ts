/**
 * Every name that the operator and the runtime must agree on. Nothing here decides anything:
 * a name written twice is a name that drifts, and a drifted port or path is an outage.
 */
import * as z from 'zod';

export const GROUP = 'slipway.dev';
export const VERSION = 'v1alpha1';
export const API_VERSION = `${GROUP}/${VERSION}`;

/** Ports of a runtime pod. The admin port is never routed by the gateway. */
export const PORTS = { rest: 8080, admin: 9090 } as const;

/** HTTP paths of the admin port (runtime server and training agent alike). */
export const ADMIN_PATHS = {
  live: '/livez',
  ready: '/readyz',
  metrics: '/metrics',
  evidence: '/slipway/v1/evidence',
  progress: '/slipway/v1/progress',
} as const;

/** Set by the runtime on every answer, errors included, so that a failure can be laid at the right version's door. */
export const RESPONSE_HEADERS = { version: 'slipway-model-version', digest: 'slipway-model-digest' } as const;

/** Directories of a training container and of everything that reads its output. */
export const DIRECTORIES = {
  root: '/slipway',
  input: '/slipway/input',
  checkpoints: '/slipway/checkpoints',
  output: '/slipway/output',
  model: '/slipway/output/model',
  status: '/slipway/status',
  parameters: '/slipway/parameters',
  store: '/slipway/store',
  served: '/slipway/served',
  admin: '/slipway/admin',
} as const;

/** Files whose place is part of the contract, relative to the directory named in the comment. */
export const FILES = {
  model: 'model.onnx', // model directory
  signature: 'signature.json', // model directory
  baseline: 'baseline.json', // model directory, else output
  golden: 'golden.jsonl', // model directory, else output
  card: 'card.md', // model directory
  manifest: 'manifest.json', // artifact root, written last, not part of the digest
  metrics: 'metrics.json', // output; published as evaluation/metrics.json
  predictions: 'predictions.jsonl', // output; published as evaluation/predictions.jsonl
  progress: 'progress.json', // status
  parameters: 'parameters.json', // parameters
  token: 'token', // admin
} as const;

/** Folder of the artifact that holds what the gates read: inside the digest, so that no gate reads anything mutable. */
export const EVALUATION_DIRECTORY = 'evaluation';

/** Environment of every container that we render. Parameters come as SLIPWAY_PARAM_<NAME>. */
export const ENV = {
  // training containers
  job: 'SLIPWAY_JOB',
  namespace: 'SLIPWAY_NAMESPACE',
  jobUid: 'SLIPWAY_JOB_UID',
  attempt: 'SLIPWAY_ATTEMPT',
  inputDir: 'SLIPWAY_INPUT_DIR',
  outputDir: 'SLIPWAY_OUTPUT_DIR',
  modelDir: 'SLIPWAY_MODEL_DIR',
  checkpointDir: 'SLIPWAY_CHECKPOINT_DIR',
  statusDir: 'SLIPWAY_STATUS_DIR',
  parametersFile: 'SLIPWAY_PARAMETERS_FILE',
  parameterPrefix: 'SLIPWAY_PARAM_',
  // runtime server, publisher, verifier
  modelName: 'SLIPWAY_MODEL_NAME',
  modelVersion: 'SLIPWAY_MODEL_VERSION',
  modelDigest: 'SLIPWAY_MODEL_DIGEST',
  storeDir: 'SLIPWAY_STORE_DIR',
  storeUri: 'SLIPWAY_STORE_URI',
  artifactDir: 'SLIPWAY_ARTIFACT_DIR',
  gates: 'SLIPWAY_GATES',
  adminTokenFile: 'SLIPWAY_ADMIN_TOKEN_FILE',
  restPort: 'SLIPWAY_REST_PORT',
  adminPort: 'SLIPWAY_ADMIN_PORT',
  drainSeconds: 'SLIPWAY_DRAIN_SECONDS',
  workers: 'SLIPWAY_WORKERS',
  maxQueue: 'SLIPWAY_MAX_QUEUE',
  maxBodyBytes: 'SLIPWAY_MAX_BODY_BYTES',
  // every container of ours; default /dev/termination-log
  terminationLog: 'SLIPWAY_TERMINATION_LOG',
} as const;

/** Labels of the objects we render. Values are DNS labels; the full digest stands in an annotation. */
export const LABELS = {
  managedBy: 'app.kubernetes.io/managed-by', // always "slipway"
  component: 'app.kubernetes.io/component', // training | publish | verification | predictor
  trainingJob: 'slipway.dev/training-job',
  attempt: 'slipway.dev/attempt',
  model: 'slipway.dev/model',
  modelVersion: 'slipway.dev/model-version',
  inferenceService: 'slipway.dev/inference-service',
  version: 'slipway.dev/version',
  revision: 'slipway.dev/revision',
} as const;

/** Annotations: what a person (or the CLI for them) asks of an object, and facts too long for a label. */
export const ANNOTATIONS = {
  digest: 'slipway.dev/digest',
  /** "<rolloutID>/<step index>": lets that one approval step pass, and no other. */
  approve: 'slipway.dev/approve',
  /** The revision whose rejection is forgotten. */
  retry: 'slipway.dev/retry',
} as const;

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
    'FP32',
    'FP64',
    'BYTES',
  ]),
  shape: z.array(z.int()).max(8),
});
export type Tensor = z.infer<typeof tensorSchema>;

export const signatureSchema = z.object({
  inputs: z.array(tensorSchema).max(64),
  outputs: z.array(tensorSchema).max(64),
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

/** status/progress.json, written whole (write + rename) by the training container; also what the agent serves. */
export const progressSchema = z.object({
  step: z.int().min(0),
  total: z.int().min(0).optional(),
  epoch: z.int().min(0).optional(),
  metrics: z.record(z.string().max(64), z.number()).optional(),
  etaSeconds: z.number().min(0).optional(),
  at: z.string().optional(),
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
});
export type VerificationReport = z.infer<typeof verificationReportSchema>;

/**
 * The evidence document: cumulative, mergeable counters of one runtime process. A restart is a new epoch, so a
 * reader never mistakes counters that start again at zero for requests that did not happen.
 */
export const EVIDENCE_SCHEMA = 'slipway.dev/evidence/v1';
export const evidenceSchema = z.object({
  schema: z.literal(EVIDENCE_SCHEMA),
  epoch: z.string().max(64),
  startedAt: z.string(),
  at: z.string(),
  model: z.object({ name: z.string(), version: z.string(), digest: z.string() }),
  ready: z.boolean(),
  draining: z.boolean(),
  inFlight: z.int().min(0),
  /** ok: 2xx. clientError: 4xx, the caller's fault, never the model's. serverError: 5xx of the model or server. shed: 503 refused unserved. */
  requests: z.object({
    ok: z.int().min(0),
    clientError: z.int().min(0),
    serverError: z.int().min(0),
    shed: z.int().min(0),
  }),
  /**
   * Per-second batches, for the design effect: seconds with at least one served request, and the sum over them of
   * failed²/served. With F = Σ failed and N = Σ served: φ = (sum − F²/N) / ((seconds − 1)·p·(1 − p)), p = F/N.
   */
  batches: z.object({ seconds: z.int().min(0), failedSquaredOverServed: z.number().min(0) }),
  /** Served requests (ok and serverError): milliseconds from the last body byte to the answer. counts has one more entry than boundsMs (over the last bound). */
  latency: z.object({ boundsMs: z.array(z.number()).max(64), counts: z.array(z.int()).max(65), sumMs: z.number() }),
});
export type Evidence = z.infer<typeof evidenceSchema>;

/** Upper bounds of the latency histogram, milliseconds. */
export const LATENCY_BOUNDS_MS = [
  0.5, 1, 2, 3, 5, 7.5, 10, 15, 20, 30, 40, 60, 80, 100, 150, 200, 300, 500, 750, 1000, 2000, 5000, 10000,
] as const;

/** Prometheus metric names of the runtime. */
export const METRICS = {
  requests: 'slipway_requests_total', // labels: model, version, outcome
  latency: 'slipway_request_duration_seconds', // labels: model, version
  inFlight: 'slipway_requests_in_flight',
  info: 'slipway_model_info', // labels: model, version, digest
} as const;

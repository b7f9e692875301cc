/**
 * Every name that the operator and the runtime must agree on. Nothing here decides anything:
 * a name written twice is a name that drifts, and a drifted port or path is an outage.
 */

export * from './baseline.ts';
export * from './evidence.ts';
export * from './places.ts';
export * from './reports.ts';

export const GROUP = 'slipway.dev';
export const VERSION = 'v1alpha1';
export const API_VERSION = `${GROUP}/${VERSION}`;

/** Ports of a runtime pod. The admin port is never routed by the gateway. */
export const PORTS = { rest: 8080, grpc: 8081, admin: 9090 } as const;

/** HTTP paths of the admin port (runtime server and training agent alike). */
export const ADMIN_PATHS = {
  live: '/livez',
  ready: '/readyz',
  metrics: '/metrics',
  evidence: '/slipway/v1/evidence',
  /** The baseline.json of a pod's model, as the evidence is held against. */
  baseline: '/slipway/v1/baseline',
  progress: '/slipway/v1/progress',
  /** Training agent: whether all pods of the attempt are there, told to the other pods; no secret. */
  gathering: '/slipway/v1/gathering',
} as const;

/**
 * Kubeflow Trainer's progress protocol (KEP-2779), spoken by the agent of each training pod on its loopback, so that
 * recent images of Hugging Face's Trainer report unmodified (huggingface/transformers#44487). No CA file: it is http.
 */
export const KUBEFLOW = {
  url: 'KUBEFLOW_TRAINER_SERVER_URL',
  token: 'KUBEFLOW_TRAINER_SERVER_TOKEN', // path of a file
  path: (namespace: string, job: string): string =>
    `/apis/trainer.kubeflow.org/v1alpha1/namespaces/${namespace}/trainjobs/${job}/status`,
} as const;

/** Header by which a request asks for the candidate while it is previewed. */
export const PREVIEW_HEADER = { name: 'slipway-preview', value: 'candidate' } as const;

/** Path of the REST port that takes late labels: POST {id, label} or a list of them. */
export const FEEDBACK_PATH = '/slipway/v1/feedback';

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
  auth: '/slipway/auth',
  /** A claim that a uri names is mounted here under its own name: pvc://<claim>/<path> is <claims>/<claim>/<path>. */
  claims: '/slipway/claims',
  /** A Secret of a store is mounted here under its own name. */
  credentials: '/slipway/credentials',
  /** Keys that sign and verify artifacts. */
  keys: '/slipway/keys',
  /** Room of our own containers for what they fetch. */
  scratch: '/slipway/scratch',
} as const;

/** Files whose place is part of the contract, relative to the directory named in the comment. */
export const FILES = {
  model: 'model.onnx', // model directory
  signature: 'signature.json', // model directory
  baseline: 'baseline.json', // model directory, else output
  golden: 'golden.jsonl', // model directory, else output
  card: 'card.md', // model directory
  preprocess: 'preprocess.onnx', // model directory: callers' tensors -> the model's inputs
  postprocess: 'postprocess.onnx', // model directory: the model's outputs -> callers' tensors
  tokenizer: 'tokenizer.json', // model directory: text -> token ids (the Hugging Face format)
  labels: 'labels.txt', // model directory: one class name a line, in the order of the classes
  manifest: 'manifest.json', // artifact root, written last, not part of the digest
  metrics: 'metrics.json', // output; published as evaluation/metrics.json
  predictions: 'predictions.jsonl', // output; published as evaluation/predictions.jsonl
  progress: 'progress.json', // status
  progressLines: 'progress.jsonl', // status: the same document, a line a report
  postToken: 'post-token', // status: made by the agent for the trainer's own progress POSTs
  gathering: 'gathering.json', // status of pod 0: who is missing, from its prepare container to its agent
  error: 'error.json', // status: what torchelastic writes of the rank that failed first
  parameters: 'parameters.json', // parameters
  token: 'token', // admin
  complete: '_COMPLETE', // checkpoints/<step>: written last, so that a checkpoint without it is none
  latest: 'latest', // checkpoints: link to the newest complete one
  claims: 'claims.jsonl', // beside an artifact: its signatures, a sigstore bundle a line
  report: 'report.json', // reports
  cardPage: 'card.html', // reports
  bom: 'mlbom.cdx.json', // reports
  provenance: 'provenance.intoto.json', // reports
  keys: 'keys', // auth; also the entry of the Secret that a predictor names
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
  /** The newest complete checkpoint: a link, absent on a first attempt. */
  resumeFrom: 'SLIPWAY_RESUME_FROM',
  // start of a training pod
  datasets: 'SLIPWAY_DATASETS', // JSON list of DatasetOrder
  peers: 'SLIPWAY_PEERS', // JSON Peers: who must be found and answer before training starts
  startTimeout: 'SLIPWAY_START_TIMEOUT_SECONDS',
  // publisher, verifier, fetcher: JSON
  store: 'SLIPWAY_STORE', // Place
  artifact: 'SLIPWAY_ARTIFACT', // Place
  rivals: 'SLIPWAY_RIVALS', // list of Rival
  modelVersionSpec: 'SLIPWAY_MODEL_VERSION_SPEC', // spec of the ModelVersion
  signingKeyFile: 'SLIPWAY_SIGNING_KEY_FILE',
  verificationKeyFile: 'SLIPWAY_VERIFICATION_KEY_FILE',
  claimsDir: 'SLIPWAY_CLAIMS_DIR', // default DIRECTORIES.claims
  credentialsDir: 'SLIPWAY_CREDENTIALS_DIR', // default DIRECTORIES.credentials
  scratchDir: 'SLIPWAY_SCRATCH_DIR', // default DIRECTORIES.scratch
  /** Most bytes that a fetcher may fetch. */
  maxBytes: 'SLIPWAY_MAX_BYTES',
  // runtime server, publisher, verifier
  modelName: 'SLIPWAY_MODEL_NAME',
  modelVersion: 'SLIPWAY_MODEL_VERSION',
  modelDigest: 'SLIPWAY_MODEL_DIGEST',
  artifactDir: 'SLIPWAY_ARTIFACT_DIR',
  gates: 'SLIPWAY_GATES',
  adminTokenFile: 'SLIPWAY_ADMIN_TOKEN_FILE',
  restPort: 'SLIPWAY_REST_PORT',
  grpcPort: 'SLIPWAY_GRPC_PORT',
  adminPort: 'SLIPWAY_ADMIN_PORT',
  drainSeconds: 'SLIPWAY_DRAIN_SECONDS',
  /** Seconds from SIGTERM until the process is killed: what is still running a little before is cut off. */
  graceSeconds: 'SLIPWAY_GRACE_SECONDS',
  /** A folder of models, or a .onnx file, for a server that is no pod of ours. */
  models: 'SLIPWAY_MODELS',
  /** The serving settings (serving.ts) as JSON text, or the path of a JSON file with them. */
  settings: 'SLIPWAY_SETTINGS',
  settingsFile: 'SLIPWAY_SETTINGS_FILE',
  // every container of ours; default /dev/termination-log
  terminationLog: 'SLIPWAY_TERMINATION_LOG',
} as const;

/** Labels of the objects we render. Values are DNS labels; the full digest stands in an annotation. */
export const LABELS = {
  managedBy: 'app.kubernetes.io/managed-by', // always "slipway"
  component: 'app.kubernetes.io/component', // training | publish | verification | predictor
  trainingJob: 'slipway.dev/training-job',
  /** On a trial: the TrainingJob with the sweep. */
  sweep: 'slipway.dev/sweep',
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
  /** The revision whose rejection is forgotten. */
  retry: 'slipway.dev/retry',
  /** "true": the rollout stays where it is until the annotation goes; guards stay armed and may roll it back. */
  pause: 'slipway.dev/pause',
  /** A rolloutID: that rollout skips the steps and approvals left, guards that fail excepted. Needs the verb approve. */
  promote: 'slipway.dev/promote',
  /** A rolloutID: that rollout is taken back at once, its revision rejected. */
  abort: 'slipway.dev/abort',
  /** The rolloutID of the rollout that is complete: the version before takes over again, and the present one is rejected. */
  rollback: 'slipway.dev/rollback',
  /** On an InferenceService: any new value asks for one retraining, and forgets rejections in a row. */
  retrain: 'slipway.dev/retrain',
  /** On an InferenceService: the newest CloudEvent that asks for a retraining, as the operator's intake writes it. */
  retrainEvent: 'slipway.dev/retrain-event',
  /** On a TrainingJob with publish.when Asked: its uid, to publish what it trained. */
  publish: 'slipway.dev/publish',
  /** On a ModelVersion: any new value asks for its files to be verified and its gates to be judged again. */
  verify: 'slipway.dev/verify',
  /** On a TrainingJob: why it was made, as its provenance tells it. */
  trigger: 'slipway.dev/trigger',
  /** On a TrainingJob: the ModelVersion that it is to follow. */
  parent: 'slipway.dev/parent',
} as const;

/** Request header and infer parameter: milliseconds the caller will wait. `timeout` in `parameters` is microseconds, as in Triton. */
export const REQUEST_HEADERS = {
  timeoutMs: 'slipway-timeout-ms',
  priority: 'slipway-priority',
  /** Id of the request for late labels, when the body has none. */
  requestId: 'x-request-id',
  apiKey: 'authorization', // "Bearer <key>"
  /** Id of a shadow order: the request is a stable pod's copy, is not copied again, and nobody waits for its answer. */
  shadow: 'slipway-shadow',
  /** Id of a session order: the request was passed on from the other version, and is answered here whatever its hash says. */
  forwarded: 'slipway-forwarded',
  traceparent: 'traceparent', // W3C trace context
} as const;

/**
 * Ids of shadow orders that begin so are second opinions: copies for a guard that is in doubt. The candidate takes one
 * only while it has nothing else to do, and counts it apart.
 */
export const SECOND_OPINION = 'second-opinion/';

/** Prometheus metric names of the runtime. Each has the labels model and version, but for those marked process. */
export const METRICS = {
  requests: 'slipway_requests_total', // outcome, protocol
  latency: 'slipway_request_duration_seconds',
  queue: 'slipway_queue_duration_seconds',
  compute: 'slipway_compute_duration_seconds',
  decode: 'slipway_decode_duration_seconds',
  encode: 'slipway_encode_duration_seconds',
  batchRows: 'slipway_batch_rows',
  waiting: 'slipway_queue_depth',
  running: 'slipway_runs_in_progress',
  saturation: 'slipway_queue_saturation',
  shed: 'slipway_requests_shed_total', // reason: overloaded, tooLate
  cancelled: 'slipway_requests_cancelled_total', // stage: queued, running
  failedRuns: 'slipway_runs_failed_total',
  cache: 'slipway_cache_lookups_total', // result: hit, miss, shared
  invalid: 'slipway_invalid_answers_total',
  nonFinite: 'slipway_non_finite_values_total',
  rows: 'slipway_rows_total',
  judgedRows: 'slipway_judged_rows_total',
  outliers: 'slipway_outlier_rows_total',
  featureValues: 'slipway_feature_values_total', // feature, bin
  featureFaults: 'slipway_feature_faults_total', // feature, kind
  predictionValues: 'slipway_prediction_values_total', // prediction, bin
  predictionFaults: 'slipway_prediction_faults_total', // prediction, kind
  omittedSeries: 'slipway_omitted_series',
  labels: 'slipway_labels_total', // result: right, wrong, unknown
  calibrationAnswers: 'slipway_label_calibration_answers_total', // bin: upper edge of the probability of the predicted class
  calibrationRight: 'slipway_label_calibration_right_total', // bin
  calibrationConfidence: 'slipway_label_calibration_confidence_total', // bin
  shadow: 'slipway_shadow_requests_total', // result: agreed, disagreed, skipped, failed
  info: 'slipway_model_info', // digest
  engine: 'slipway_engine_info', // backend; provider: the first one in use, whatever was asked for
  refused: 'slipway_requests_refused_total', // process; reason
  sessionForwards: 'slipway_session_forwards_total', // process; result: forwarded, failed
  observations: 'slipway_observations_total', // process; kind: traces, samples; result: sent, dropped
  inFlight: 'slipway_requests_in_flight', // process
  ready: 'slipway_ready', // process
  draining: 'slipway_draining', // process
  build: 'slipway_build_info', // process; runtime, node, onnxruntime
} as const;

/**
 * How a model server is to behave: one JSON document, read by the server at its start and written by the operator (or
 * by a person who runs the server alone). Every field has a default, so `{}` is a good document; a field that is not
 * known is refused with its name, for a setting that is silently ignored is worse than none.
 */
import * as z from 'zod';

const MIB = 1024 * 1024;
const count = (max: number) => z.int().min(1).max(max);

/** Where and how the model runs. */
export const engineSettingsSchema = z.strictObject({
  backend: z
    .enum(['ffi', 'node'])
    .default('ffi')
    .describe('ffi: ONNX Runtime called directly; node: its Node package.'),
  providers: z
    .array(z.enum(['cpu', 'cuda', 'tensorrt']))
    .min(1)
    .default(['cpu'])
    .describe('Execution providers, best first.'),
  requireGpu: z.boolean().default(false).describe('Refuse to start unless the model runs on a GPU provider.'),
  threads: count(1024).optional().describe('Intra-op threads of a session; the CPU quota by default.'),
  instances: count(64).default(1).describe('Runs of one model at the same time.'),
  perCore: z
    .enum(['Auto', 'Never'])
    .default('Auto')
    .describe(
      'Auto: under load, runs of one thread, one for each core, where they are measured to be as fast; a model of milliseconds is in memory twice then. Never: one run at a time has all threads.',
    ),
  inline: z
    .enum(['Auto', 'Never'])
    .default('Auto')
    .describe('Auto: a model measured to run in microseconds runs on the thread that reads sockets.'),
  optimization: z
    .enum(['disabled', 'basic', 'extended', 'all'])
    .default('all')
    .describe('How far ONNX Runtime rewrites the graph when it loads it.'),
  spinning: z
    .boolean()
    .default(false)
    .describe('Threads that spin while idle: microseconds of latency for whole CPUs.'),
  spinMicroseconds: z
    .int()
    .min(0)
    .max(1_000_000)
    .default(50)
    .describe('How long a thread of a run looks for work of the next operator before it sleeps; 0: not at all.'),
  cacheDirectory: z.string().optional().describe('Where optimised models are kept between starts; none by default.'),
  session: z.record(z.string(), z.string()).default({}).describe('ONNX Runtime session config entries, as they are.'),
  gpu: z
    .strictObject({
      device: z.int().min(0).max(63).default(0).describe('Index of the GPU.'),
      memoryBytes: z.int().min(MIB).optional().describe('Arena limit; all of the device by default.'),
      shrink: z.boolean().default(false).describe('Give arena memory back after each run.'),
    })
    .prefault({})
    .describe('What a GPU provider may use.'),
  maxRunMs: count(3_600_000).default(60_000).describe('A run longer than this is cancelled and its requests fail.'),
});

/** How requests share a run. */
export const batchingSettingsSchema = z.strictObject({
  maxSize: count(4096).default(32).describe('Rows of one run at most; 1 turns batching off.'),
  preferredSizes: z.array(count(4096)).max(16).default([]).describe('Sizes to cut batches to while more wait.'),
  maxDelayMs: z.number().min(0).max(10_000).default(0).describe('How long a free engine waits for a fuller batch.'),
  maxQueue: z
    .int()
    .min(0)
    .max(1_000_000)
    .default(256)
    .describe('Requests that may wait; one more is refused with 503.'),
  maxQueueBytes: count(16_384 * MIB)
    .default(256 * MIB)
    .describe('Bytes of tensors that may wait.'),
});

export const cacheSettingsSchema = z.strictObject({
  maxBytes: count(65_536 * MIB).describe('Bytes of inputs and answers together; the least recently used go first.'),
  ttlMs: count(86_400_000).describe('Milliseconds that an answer is remembered.'),
});

export const NON_FINITE = ['Error', 'Null', 'String'] as const;
export type NonFinite = (typeof NON_FINITE)[number];

/** What may be set for each model. */
export const modelSettingsSchema = z.strictObject({
  engine: engineSettingsSchema.prefault({}).describe('Where and how the model runs.'),
  batching: batchingSettingsSchema.prefault({}).describe('How requests share a run.'),
  cache: cacheSettingsSchema.optional().describe('Remember answers to exactly equal inputs; off by default.'),
  singleFlight: z.boolean().default(false).describe('Equal requests that are under way share one run.'),
  nonFinite: z
    .enum(NON_FINITE)
    .default('Error')
    .describe('NaN and infinities in JSON answers: a 500, null, or the strings "NaN", "Infinity", "-Infinity".'),
  feedback: z
    .strictObject({
      maxAnswers: z
        .int()
        .min(0)
        .max(10_000_000)
        .default(100_000)
        .describe('Answers remembered for late labels, some 40 bytes each; 0 turns feedback off.'),
      maxAgeSeconds: count(31_536_000).default(604_800).describe('Labels that come later than this are unknown.'),
    })
    .prefault({})
    .describe('What is remembered of answers, to be held against labels that come later.'),
  truncateText: z.boolean().default(false).describe('Cut text that is too long for the model instead of refusing it.'),
});
export type ModelSettings = z.infer<typeof modelSettingsSchema>;
export type EngineSettings = z.infer<typeof engineSettingsSchema>;
export type BatchingSettings = z.infer<typeof batchingSettingsSchema>;

const limitsSchema = z.strictObject({
  maxBodyBytes: count(4096 * MIB)
    .default(64 * MIB)
    .describe('Bytes of a request, unpacked; a larger one is refused with 413.'),
  maxBodiesBytes: count(65_536 * MIB)
    .default(128 * MIB)
    .describe('Bytes of large bodies read at the same time; the rest wait their turn, first come first served.'),
  maxElements: count(2 ** 31)
    .default(2 ** 28)
    .describe('Elements of one tensor.'),
  requestTimeoutMs: count(3_600_000).default(60_000).describe('Longest time from the last body byte to the answer.'),
  bodyTimeoutMs: count(3_600_000).default(30_000).describe('Longest time a caller may take to send a request.'),
  headersTimeoutMs: count(600_000).default(10_000).describe('Longest time a caller may take to send the headers.'),
  maxHeaderBytes: count(MIB).default(16_384).describe('Bytes of the headers of a request; more is refused with 431.'),
  maxConnections: count(1_000_000).default(10_000).describe('Open connections; one more is closed at once.'),
  rate: z
    .strictObject({
      requestsPerSecond: z.number().positive().max(1e6).describe('Requests a second in the long run.'),
      burst: count(1_000_000).describe('Requests that may come at once.'),
    })
    .optional()
    .describe('For each API key, or for each address where there are no keys.'),
});

const samplesSchema = z
  .strictObject({
    share: z.number().min(0).max(1).describe('Share of requests, 0 to 1.'),
    file: z.string().min(1).optional().describe('One JSON line a request; rotated to <file>.1 once it is full.'),
    url: z
      .url({ protocol: /^https?$/ })
      .optional()
      .describe('Batches are posted here as CloudEvents.'),
    maxBytes: count(1024 * MIB)
      .default(64 * MIB)
      .describe('Of the file before it is rotated, or of the samples that wait for the url.'),
  })
  .refine(({ file, url }) => (file === undefined) !== (url === undefined), {
    error: 'Write samples either to a file or to a url.',
  });

export const servingSettingsSchema = z.strictObject({
  ...modelSettingsSchema.shape,
  models: z
    .record(z.string(), z.unknown())
    .default({})
    .describe('Settings of single models, by name: replace those above.'),
  limits: limitsSchema.prefault({}).describe('What a caller may ask of the server.'),
  auth: z
    .strictObject({ keysFile: z.string().describe('One "<name> sha256:<hex>" a line; read again when it changes.') })
    .optional()
    .describe('API keys; without them everybody may ask.'),
  tls: z
    .strictObject({
      certFile: z.string().describe('PEM, with the whole chain.'),
      keyFile: z.string().describe('PEM, without a passphrase.'),
    })
    .optional()
    .describe('Read again when they change.'),
  fastLane: z
    .enum(['Auto', 'Never'])
    .default('Auto')
    .describe(
      'Auto: small and plain questions over HTTP without TLS pass by node:http, in half of its time; Never: all go through it.',
    ),
  repository: z
    .enum(['None', 'Explicit'])
    .default('None')
    .describe('Explicit: callers may load and unload models through the repository API.'),
  versions: z
    .enum(['Newest', 'All'])
    .default('Newest')
    .describe('Which versions of a model in a folder of models are served.'),
  shadow: z
    .strictObject({
      maxQueue: count(100_000)
        .default(256)
        .describe(
          'Copies that may be under way; one more is skipped. Halved by each that gets no answer, doubled by each that does.',
        ),
      maxQueueBytes: count(4096 * MIB)
        .default(32 * MIB)
        .describe('Bytes of tensors in them.'),
      concurrency: count(256).default(8).describe('Copies that the candidate has at the same time.'),
      timeoutMs: count(60_000).default(5000).describe('A candidate that has not answered by then has failed.'),
      examples: z.int().min(0).max(1000).default(10).describe('Disagreements shown in the evidence.'),
    })
    .prefault({})
    .describe('How answers are compared with those of a candidate, when the operator orders it.'),
  metrics: z
    .strictObject({
      tritonNames: z
        .boolean()
        .default(false)
        .describe('Write the same counts under the names of Triton (nv_inference_*) too.'),
    })
    .prefault({})
    .describe('What /metrics says.'),
  tracing: z
    .strictObject({
      endpoint: z
        .url({ protocol: /^https?$/ })
        .describe('Of an OTLP/HTTP collector; /v1/traces is added to one that has no path.'),
      share: z
        .number()
        .min(0)
        .max(1)
        .default(0.01)
        .describe('Share of requests traced, where the caller did not decide.'),
      service: z.string().default('slipway').describe('service.name of the spans.'),
    })
    .optional()
    .describe('Spans over OTLP/HTTP.'),
  logging: z
    .strictObject({
      share: z.number().min(0).max(1).default(0).describe('Share of requests that get a log line.'),
      hash: z.array(z.string()).max(64).default([]).describe('Features logged as a keyed hash; others not at all.'),
      hashKeyFile: z
        .string()
        .optional()
        .describe('Key of the hashes, so that all pods write the same; a random one for each process by default.'),
      payload: z.boolean().default(false).describe('Log the tensors as they are, at most 1024 elements of each.'),
    })
    .prefault({})
    .describe('Log lines of single requests.'),
  samples: samplesSchema
    .optional()
    .describe('Whole requests with their answers, for replay: raw data, so off by default.'),
});
export type ServingSettings = z.infer<typeof servingSettingsSchema>;

import { readFile } from 'node:fs/promises';
import { servingSettingsSchema } from '@slipway/crds/serving';
import { expect, test } from 'vitest';
import * as z from 'zod';

/** A test that sets the field to something else than its default and shows what that changes. */
type Shown = readonly [file: string, test: string];

/** A setting that is silently ignored is worse than none: one that stands here without a test is refused. */
const SHOWN: Readonly<Record<string, Shown>> = {
  'engine.backend': ['engine/contract.test.ts', 'the %s engine'],
  'engine.providers': ['engine/gpuFailure.test.ts', 'says that it runs on the CPU where that may be'],
  'engine.requireGpu': ['engine/gpuFailure.test.ts', 'a missing GPU is a sentence that says what to do'],
  'engine.threads': ['engine/ffi/ffiEngine.test.ts', 'has the threads that the settings name'],
  'engine.instances': ['batching/batches.test.ts', 'as many as there are instances run at the same time'],
  'engine.perCore': ['models/fitCores.test.ts', 'a model %s is open once'],
  'engine.inline': ['batching/conduct.test.ts', 'never happen where settings say so'],
  'engine.optimization': ['engine/sessionPlan.test.ts', 'a session with %s is planned as asked'],
  'engine.spinning': ['engine/sessionPlan.test.ts', 'spin without our bound where they are to'],
  'engine.spinMicroseconds': ['engine/sessionPlan.test.ts', 'look as long as they are told'],
  'engine.cacheDirectory': ['engine/optimizedCache.test.ts', 'are used when it opens again'],
  'engine.session': ['engine/contract.test.ts', 'refuses settings with %s'],
  'engine.gpu.device': ['engine/sessionPlan.test.ts', '%o is refused where no GPU is named'],
  'engine.gpu.memoryBytes': ['engine/sessionPlan.test.ts', 'a bound for an arena that nobody has is refused'],
  'engine.gpu.shrink': ['engine/sessionPlan.test.ts', '%o is refused where no GPU is named'],
  'engine.maxRunMs': ['engine/contract.test.ts', 'ends a run that takes too long and is of use again'],
  'batching.maxSize': ['batching/batches.test.ts', 'up to the largest size'],
  'batching.preferredSizes': ['batching/batches.test.ts', 'cut to the largest preferred size'],
  'batching.maxDelayMs': ['batching/batches.test.ts', 'with a delay: those that come before the batch is full'],
  'batching.maxQueue': ['distress.test.ts', 'refuses what its queue has no room for'],
  'batching.maxQueueBytes': ['batching/admission.test.ts', 'refuses by bytes before anything is decoded'],
  'cache.maxBytes': ['batching/rememberingScheduler.test.ts', 'forgets the least recently used'],
  'cache.ttlMs': ['batching/rememberingScheduler.test.ts', 'forgets after its time'],
  singleFlight: ['batching/rememberingScheduler.test.ts', 'runs equal requests once, and answers each'],
  nonFinite: ['protocol/inferAnswer.test.ts', 'with the policy Error a NaN fails the request'],
  'feedback.maxAnswers': ['evidence/labels/lateLabels.test.ts', 'finds what the settings let be remembered'],
  'feedback.maxAgeSeconds': ['evidence/labels/lateLabels.test.ts', 'finds what the settings let be remembered'],
  truncateText: ['text.test.ts', 'it is cut for the one model that was told to'],
  models: ['settings.test.ts', 'settings of one model are laid over the general ones'],
  'limits.maxBodyBytes': ['server.test.ts', 'refuses a body that is too large'],
  'limits.maxBodiesBytes': ['rest/conduct.test.ts', 'are read one after the other when they do not fit'],
  'limits.maxElements': ['rest/badServer.test.ts', 'more than the settings allow'],
  'limits.requestTimeoutMs': ['rest/conduct.test.ts', 'for the server is a 504'],
  'limits.bodyTimeoutMs': ['rest/badHttp.test.ts', 'bytes that come too slowly, or never'],
  'limits.headersTimeoutMs': ['rest/badHttp.test.ts', 'bytes that come too slowly, or never'],
  'limits.maxHeaderBytes': ['rest/badServer.test.ts', 'more than the settings allow'],
  'limits.maxConnections': ['rest/conduct.test.ts', 'connections beyond the limit are closed'],
  'limits.rate.requestsPerSecond': ['access/open.test.ts', 'keys and rate of the settings take effect'],
  'limits.rate.burst': ['access/open.test.ts', 'keys and rate of the settings take effect'],
  'auth.keysFile': ['access/open.test.ts', 'keys and rate of the settings take effect'],
  'tls.certFile': ['rest/tls.test.ts', 'a new certificate is shown to new connections'],
  'tls.keyFile': ['rest/tls.test.ts', 'a new certificate is shown to new connections'],
  fastLane: ['server.test.ts', 'questions pass by node:http unless the settings say never'],
  repository: ['hotSwap.test.ts', 'an unloaded model is gone, and can be loaded again'],
  versions: ['models/repository.test.ts', 'serves every version where that is asked for'],
  'shadow.maxQueue': ['observe/observatory.test.ts', 'no more is copied than there is room for'],
  'shadow.maxQueueBytes': ['observe/observatory.test.ts', 'large copies are bounded by their bytes'],
  'shadow.concurrency': ['observe/shadow/shadow.test.ts', 'holds no more connections than it may'],
  'shadow.timeoutMs': ['observe/shadow/shadow.test.ts', 'a candidate that hangs has failed after the timeout'],
  'shadow.examples': ['observe/shadow/shadow.test.ts', 'disagreements are counted by segment, with examples'],
  'metrics.tritonNames': ['evidence/exposition/exposition.test.ts', 'are there when asked for only'],
  'tracing.endpoint': ['observe/process.test.ts', 'a traced request arrives at the collector'],
  'tracing.share': ['observe/tracing/tracer.test.ts', 'whether a request from %s is traced'],
  'tracing.service': ['observe/tracing/tracer.test.ts', 'model, run and process stand in the attributes'],
  'logging.share': ['observe/observatory.test.ts', 'a request is wanted by %s'],
  'logging.hash': ['observe/logging/requestLog.test.ts', 'features are logged as keyed hashes'],
  'logging.hashKeyFile': ['observe/keyedHash.test.ts', 'a key from a file gives all pods the same hashes'],
  'logging.payload': ['observe/logging/requestLog.test.ts', 'the payload is logged as it is where it is asked for'],
  'samples.share': ['observe/observatory.test.ts', 'a request is wanted by %s'],
  'samples.file': ['observe/samples/sampleSink.test.ts', 'a line holds the request as it can be asked again'],
  'samples.url': ['observe/samples/sampleSink.test.ts', 'samples are posted as a batch of CloudEvents'],
  'samples.maxBytes': ['observe/samples/sampleSink.test.ts', 'a full file is kept once'],
};

interface Node {
  readonly properties?: Readonly<Record<string, Node>>;
}

/** The fields that hold a value, by their path. */
const fieldsOf = ({ properties }: Node, path: readonly string[] = []): readonly string[] =>
  properties === undefined
    ? [path.join('.')]
    : Object.entries(properties).flatMap(([name, node]) => fieldsOf(node, [...path, name]));

test('every setting has a test that shows its effect, and no other is spoken of', () => {
  const fields = fieldsOf(z.toJSONSchema(servingSettingsSchema, { io: 'input' }) as Node);
  expect(Object.keys(SHOWN).sort()).toEqual([...fields].sort());
});

test.each(Object.entries(SHOWN))('%s has the test that is named for it', async (_field, [file, title]) => {
  expect(await readFile(new URL(file, import.meta.url), 'utf8')).toContain(title);
});

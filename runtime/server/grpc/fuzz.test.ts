import { readdirSync, readFileSync } from 'node:fs';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { RequestError } from '../requestError.ts';
import { openTestModel, type TestModel } from '../rest/testing/models.ts';
import { frame, rstStreamFrame, settingsFrame, windowUpdateFrame } from './http2/frames.ts';
import { encodeHeaders } from './http2/hpack/encode.ts';
import { FLAG, FRAME, PREFACE } from './http2/protocol.ts';
import { body, headers } from './http2/testing/peer.ts';
import { readInferRequest } from './messages/inferRequest.ts';
import { encode } from './proto/codec.ts';
import { GrpcPeer } from './testing/grpcPeer.ts';
import { echo, pair, pairRequest, SAMPLES } from './testing/models.ts';

/** Bounded by time and not only by number: CI has slow days. What failed once is kept in the folder, as hexadecimal text. */
const BOUNDS = { numRuns: 4000, interruptAfterTimeLimit: 700, markInterruptAsFailure: false } as const;
const CORPUS = new URL('corpus/', import.meta.url);
const kept = readdirSync(CORPUS).map((name): [string, Buffer] => [
  name,
  Buffer.from(readFileSync(new URL(name, CORPUS), 'utf8').replaceAll(/\s/g, ''), 'hex'),
]);

let model: TestModel;
let every: TestModel;
beforeAll(async () => {
  model = await openTestModel(pair);
  every = await openTestModel(echo);
});
afterAll(async () => {
  await model.close();
  await every.close();
});

const messageOf = (bytes: Uint8Array): Buffer => {
  const prefix = Buffer.alloc(5);
  prefix.writeUInt32BE(bytes.length, 1);
  return Buffer.concat([prefix, bytes]);
};

const call = (method: string, extra: readonly { name: string; value: string }[] = []) =>
  encodeHeaders([
    { name: ':method', value: 'POST' },
    { name: ':scheme', value: 'http' },
    { name: ':path', value: method },
    { name: 'content-type', value: 'application/grpc' },
    ...extra,
  ]);

const INFER = '/inference.GRPCInferenceService/ModelInfer';
const question = messageOf(encode('inference.ModelInferRequest', pairRequest(1, 2)));
const raw = encode('inference.ModelInferRequest', {
  model_name: 'echo',
  inputs: SAMPLES.map(([datatype]) => ({ name: `in_${datatype}`, datatype, shape: [2] })),
  raw_input_contents: SAMPLES.map(([, bytes]) => bytes),
});
const typed = encode('inference.ModelInferRequest', {
  model_name: 'echo',
  id: '1',
  parameters: { timeout: { int64_param: 5 }, other: { double_param: 0.5 } },
  inputs: SAMPLES.map(([datatype, , contents]) => ({ name: `in_${datatype}`, datatype, shape: [2], contents })),
  outputs: [{ name: 'out_FP32', parameters: { classification: { int64_param: 1 } } }],
});

/** Frames of honest callers, to be cut, swapped and bent. */
const FRAMES: readonly Uint8Array[] = [
  headers(1, FLAG.endHeaders, call(INFER)),
  headers(
    3,
    FLAG.endHeaders,
    call('/inference.GRPCInferenceService/ModelStreamInfer', [{ name: 'grpc-timeout', value: '5S' }]),
  ),
  headers(5, FLAG.endHeaders, call('/grpc.health.v1.Health/Check', [{ name: 'grpc-encoding', value: 'gzip' }])),
  headers(7, FLAG.endHeaders, call('/grpc.reflection.v1.ServerReflection/ServerReflectionInfo')),
  headers(9, 0, call('/nothing/there').subarray(0, 9)),
  frame(FRAME.continuation, FLAG.endHeaders, 9, call('/nothing/there').subarray(9)),
  body(1, question, FLAG.endStream),
  body(1, question.subarray(0, 20)),
  body(3, Buffer.concat([question, question])),
  body(3, messageOf(typed)),
  body(5, Buffer.from([0, 0, 0, 0, 0]), FLAG.endStream),
  body(7, messageOf(encode('grpc.reflection.v1.ServerReflectionRequest', { list_services: '' })), FLAG.endStream),
  rstStreamFrame(3, 8),
  settingsFrame([[4, 100]]),
  windowUpdateFrame(0, 1000),
  windowUpdateFrame(3, 1000),
];

const bent = (bytes: fc.Arbitrary<Uint8Array>) =>
  fc
    .record({ bytes, at: fc.nat(), value: fc.nat({ max: 255 }), bend: fc.nat({ max: 3 }) })
    .map(({ bytes: one, at, value, bend }) => {
      const copy = Buffer.from(one);
      if (bend === 0 && copy.length > 0) copy[at % copy.length] = value;
      return bend === 1 ? copy.subarray(0, at % (copy.length + 1)) : copy;
    });

/** The server answers what it can and ends what it must: no bytes make it throw, and none leave room leased behind. */
function survives(bytes: Buffer): void {
  const peer = new GrpcPeer([model.model, every.model]);
  peer.receive(bytes);
  peer.lost();
  expect(peer.failures).toEqual([]);
  expect([model.leased(), every.leased()]).toEqual([0, 0]);
  expect(peer.heldBytes).toBe(0);
}

test.each(kept)('kept: %s', (_name, bytes) => {
  survives(bytes);
  readsOrRefuses(bytes);
});

test('frames in any order, cut and bent', () => {
  const frames = fc.array(bent(fc.constantFrom(...FRAMES)), { minLength: 1, maxLength: 20 });
  const sent = frames.map((all) => Buffer.concat([PREFACE, settingsFrame([]), ...all]));
  fc.assert(fc.property(sent, survives), BOUNDS);
});

test('bytes that are no frames', () => {
  const sent = fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.concat([PREFACE, settingsFrame([]), bytes]));
  fc.assert(fc.property(sent, survives), BOUNDS);
});

test('messages that are bent, through the whole of a call', () => {
  const message = bent(bent(fc.constantFrom<Uint8Array>(raw, typed)));
  const sent = message.map((bytes) =>
    Buffer.concat([
      PREFACE,
      settingsFrame([]),
      headers(1, FLAG.endHeaders, call(INFER)),
      body(1, messageOf(bytes), FLAG.endStream),
    ]),
  );
  fc.assert(fc.property(sent, survives), BOUNDS);
});

function readsOrRefuses(bytes: Buffer): void {
  try {
    const { inputs, raw: ranges } = readInferRequest(bytes, 0, bytes.length);
    for (const end of [...ranges, ...inputs.flatMap(({ contents }) => contents)])
      expect(end).toBeLessThanOrEqual(bytes.length);
  } catch (error) {
    expect(error).toBeInstanceOf(RequestError);
  }
}

test('bytes that are no message', () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
      readsOrRefuses,
    ),
    BOUNDS,
  );
});

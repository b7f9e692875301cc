import { type ClientHttp2Session, connect } from 'node:http2';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, onTestFinished, test, vi } from 'vitest';
import { BodyGate } from '../rest/bodyGate.ts';
import { openTestModel, type TestModel } from '../rest/testing/models.ts';
import { BufferPool } from './bufferPool.ts';
import type { ServerStream } from './http2/stream.ts';
import { MessageAssembly, type ReadingRules } from './messageAssembly.ts';
import { decode, encode } from './proto/codec.ts';
import { floatsOf, pair, pairOf, pairRequest } from './testing/models.ts';
import { serving } from './testing/serving.ts';
import { Unpacking } from './unpacking.ts';

let open: TestModel;
beforeAll(async () => {
  open = await openTestModel(pair);
});
afterAll(() => open.close());

const framed = (message: Uint8Array, flag = 0): Buffer => {
  const prefix = Buffer.from([flag, 0, 0, 0, 0]);
  prefix.writeUInt32BE(message.length, 1);
  return Buffer.concat([prefix, message]);
};
const packedOf = (message: Record<string, unknown>) =>
  framed(gzipSync(Buffer.from(encode('inference.ModelInferRequest', message))), 1);

/** Packed it has some ten kB: more than is unpacked at once. */
const noise = new Float32Array(4000).map((_, i) => Math.sin(i * 12.9898) * 43758.5453);
const BUDGET = 1_000_000;

async function started() {
  const gate = new BodyGate(BUDGET);
  const server = await serving([open.model], { gate });
  const session = connect(`http://${server.address}`);
  onTestFinished(() => session.destroy());
  return { ...server, gate, session };
}

function streamOf(session: ClientHttp2Session, method: string) {
  const stream = session.request({
    ':method': 'POST',
    ':path': `/inference.GRPCInferenceService/${method}`,
    'content-type': 'application/grpc',
    'grpc-encoding': 'gzip',
  });
  const received: Buffer[] = [];
  stream.on('data', (chunk: Buffer) => received.push(chunk));
  stream.on('error', () => undefined);
  const closed = new Promise<Buffer>((resolve) => stream.on('close', () => resolve(Buffer.concat(received))));
  return { stream, closed };
}

test('a message that may unpack to much waits at the gate as a large body does', async () => {
  const { gate, session } = await started();
  const other = gate.ask(BUDGET, () => undefined);
  const { stream, closed } = streamOf(session, 'ModelInfer');
  stream.end(packedOf(pairOf(noise)));
  await vi.waitFor(() => expect(gate.waiting).toBe(1));
  other.giveBack();
  expect((await closed).length).toBeGreaterThan(1000);
  await vi.waitFor(() => expect([gate.held, gate.waiting]).toEqual([0, 0]));
});

test('a caller that goes away while its message waits at the gate leaves it', async () => {
  const { gate, session, grpc } = await started();
  const other = gate.ask(BUDGET, () => undefined);
  streamOf(session, 'ModelInfer').stream.end(packedOf(pairOf(noise)));
  await vi.waitFor(() => expect(gate.waiting).toBe(1));
  session.destroy();
  await vi.waitFor(() => expect([gate.waiting, grpc.inFlight]).toEqual([0, 0]));
  other.giveBack();
  expect(gate.held).toBe(0);
});

test('messages behind one that is being unpacked are answered in their order, packed or not', async () => {
  const { gate, session } = await started();
  const other = gate.ask(BUDGET, () => undefined);
  const { stream, closed } = streamOf(session, 'ModelStreamInfer');
  const plain = framed(Buffer.from(encode('inference.ModelInferRequest', pairRequest(3, 4))));
  stream.end(Buffer.concat([packedOf(pairOf(noise)), plain, packedOf(pairRequest(5, 6)), packedOf(pairOf(noise))]));
  await vi.waitFor(() => expect(gate.waiting).toBe(2));
  other.giveBack();
  expect(firstsIn(await closed)).toEqual([noise[0], 3, 5, noise[0]]);
});

/** The first number of each answer of a stream. */
function firstsIn(bytes: Buffer): readonly (number | undefined)[] {
  const firsts: (number | undefined)[] = [];
  for (let at = 0; at < bytes.length; ) {
    const end = at + 5 + bytes.readUInt32BE(at + 1);
    const { infer_response } = decode('inference.ModelStreamInferResponse', bytes.subarray(at + 5, end));
    firsts.push(floatsOf(infer_response as Record<string, unknown>)[0]);
    at = end;
  }
  return firsts;
}

test('a stream may send no more while its messages wait, and they are counted until they are read', async () => {
  const gate = new BodyGate(BUDGET);
  const rules: ReadingRules = {
    gate,
    pool: new BufferPool(0),
    maxMessageBytes: 800_000,
    streamWindow: 16_384,
    maxUnaskedBytes: BUDGET,
    unasked: 0,
  };
  const grants: number[] = [];
  const stream = { remoteEnded: false, grant: (bytes: number) => grants.push(bytes) } as unknown as ServerStream;
  const read: number[] = [];
  const unpacking = new Unpacking(
    rules,
    'gzip',
    (_bytes, start, end) => read.push(end - start),
    (error) => expect.unreachable(String(error)),
  );
  const assembly = new MessageAssembly(stream, rules, (memory, length, _packed, hasRoom) =>
    unpacking.take(memory.subarray(0, length), hasRoom),
  );
  const other = gate.ask(BUDGET, () => undefined);
  const message = packedOf(pairOf(noise));
  assembly.push(message, 0, message.length);
  expect([rules.unasked, grants, assembly.atGate]).toEqual([message.length - 5, [], true]);
  other.giveBack();
  await vi.waitFor(() => expect(rules.unasked).toBe(0));
  expect([grants, read, gate.held, assembly.atGate]).toEqual([[message.length], [16_025], 0, false]);
});

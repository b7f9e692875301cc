import { Worker } from 'node:worker_threads';
import { afterAll, afterEach, expect, test } from 'vitest';
import { protocolModel, tensor } from '../../../test/protocolModel.ts';
import { inferJson, type Pending } from '../infer.ts';
import { BodyRooms } from './bodyRooms.ts';
import { ParserThreads } from './parserThreads.ts';

const SIZE = 20_000;
const workers: Worker[] = [];
const start = (): Worker => {
  const worker = new Worker(new URL('./entry.ts', import.meta.url));
  workers.push(worker);
  return worker;
};
const reader = new ParserThreads(start);
afterAll(() => reader.close());

const model = protocolModel({ inputs: [tensor('x', 'FP32', [-1, SIZE])], outputs: [tensor('y', 'FP32', [-1])] });
afterEach(() => expect(model.leases.given).toBe(model.leases.released + model.leases.submitted));

const values = Float32Array.from({ length: SIZE }, (_, i) => Math.fround(Math.sin(i) / 3));
const bodyOf = (data: string): Buffer =>
  Buffer.from(`{"inputs":[{"name":"x","datatype":"FP32","shape":[1,${SIZE}],"data":${data}}]}`);
const list = `[${Array.from(values, String).join(', ')}]`;

const shared = (body: Buffer): Buffer => {
  const room = new BodyRooms().take(body.length);
  room.set(body);
  return room;
};

test.each([
  ['from memory of its own', bodyOf(list)],
  ['from shared memory', shared(bodyOf(list))],
  ['nested', bodyOf(`[${list}]`)],
])('a large body %s is read on another thread, into the lease', async (_, body) => {
  const reading = inferJson(body, undefined, model, { now: 0, reader });
  expect(reading).toBeInstanceOf(Promise);
  const { lease } = await reading;
  expect(lease.inputs[0]?.elements).toEqual(values);
  lease.release();
});

test('a small body is read at once', () => {
  const small = protocolModel({ inputs: [tensor('x', 'FP32', [-1])], outputs: [] });
  const body = Buffer.from('{"inputs":[{"name":"x","datatype":"FP32","shape":[1],"data":[1]}]}');
  const pending = inferJson(body, undefined, small, { now: 0, reader }) as Pending;
  expect(pending.lease.inputs[0]?.elements).toEqual(Float32Array.of(1));
});

test.each([
  ['an element that is none', list.replace(', ', ', null, '), 400],
  ['an element too few', list.replace(/, [^,]*\]$/, ']'), 400],
  ['no JSON', list.replace(', ', ' '), 400],
])('%s in a large body is refused as in a small one', async (_, data, status) => {
  const body = bodyOf(data);
  const here = (() => {
    try {
      return inferJson(body, undefined, model, { now: 0 });
    } catch (error) {
      return error as Error;
    }
  })() as Error;
  await expect(inferJson(body, undefined, model, { now: 0, reader })).rejects.toMatchObject({
    name: 'RequestError',
    status,
    message: here.message,
  });
});

test('what a dead thread had is read all the same, and the next body too', async () => {
  const under = inferJson(bodyOf(list), undefined, model, { now: 0, reader });
  await workers.at(-1)?.terminate();
  const first = await under;
  expect(first.lease.inputs[0]?.elements).toEqual(values);
  first.lease.release();
  const next = await inferJson(bodyOf(list), undefined, model, { now: 0, reader });
  expect(next.lease.inputs[0]?.elements).toEqual(values);
  next.lease.release();
});

test('a closed reader leaves the work to whoever asks', () => {
  const closed = new ParserThreads(start);
  void closed.close();
  const pending = inferJson(bodyOf(list), undefined, model, { now: 0, reader: closed }) as Pending;
  expect(pending.lease.inputs[0]?.elements).toEqual(values);
  pending.lease.release();
});

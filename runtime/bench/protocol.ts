/**
 * What the protocol costs a request, without sockets and without a model: `node runtime/bench/protocol.ts`. Best and
 * median of many; the three models are those of the runtime benchmark (30, 3,072 and 150,528 FP32 values in).
 */
import { Worker } from 'node:worker_threads';
import type { Lease } from '../server/batching/scheduler.ts';
import type { ServedModel } from '../server/models/servedModel.ts';
import { inferJson, type Pending } from '../server/protocol/infer.ts';
import { writeElements } from '../server/protocol/json/elements.ts';
import { BodyRooms } from '../server/protocol/parser/bodyRooms.ts';
import { ParserThreads } from '../server/protocol/parser/parserThreads.ts';
import { sizeOf } from '../server/tensor.ts';
import { outcomeOf, protocolModel, tensor, tensorOf } from '../test/protocolModel.ts';

const SHAPES: Readonly<Record<string, readonly number[]>> = {
  mlp: [1, 30],
  cnn: [1, 3, 32, 32],
  wide: [1, 3, 224, 224],
};

function report(name: string, times: number[], calls = 1): void {
  times.sort((a, b) => a - b);
  const us = (ms = 0) => ((ms * 1000) / calls).toFixed(2).padStart(10);
  console.log(`${name.padEnd(44)}${us(times[0])}${us(times[times.length >> 1])}`);
}

function time(name: string, rounds: number, calls: number, work: () => unknown): void {
  const times = Array.from({ length: rounds }, () => {
    const start = performance.now();
    for (let i = 0; i < calls; i++) work();
    return performance.now() - start;
  });
  report(name, times, calls);
}

/** A model whose lease is always the same room: what the scheduler's own costs is not measured here. */
function modelOf(shape: readonly number[]): { model: ServedModel; lease: Lease } {
  const open = [-1, ...shape.slice(1)];
  const model = protocolModel({ inputs: [tensor('x', 'FP32', open)], outputs: [tensor('y', 'FP32', [-1, 10])] });
  const lease: Lease = {
    inputs: [tensorOf('x', 'FP32', shape, [])],
    submit: () => ({ cancel() {} }),
    release() {},
  };
  return { model: { ...model, scheduler: { ...model.scheduler, lease: () => lease } }, lease };
}

const values = (count: number) => Float32Array.from({ length: count }, () => Math.random() * 2 - 1);

/** As Python's json.dumps prints FP32 values: as doubles, with a space after each comma. */
const pythonBody = (shape: readonly number[]): Buffer => {
  const data = Array.from(values(sizeOf(shape)), String).join(', ');
  return Buffer.from(
    `{"inputs": [{"name": "x", "shape": [${shape.join(', ')}], "datatype": "FP32", "data": [${data}]}]}`,
  );
};

async function threads(body: Buffer, model: ServedModel): Promise<void> {
  const rooms = new BodyRooms();
  const shared = rooms.take(body.length);
  shared.set(body);
  const reader = new ParserThreads(
    () => new Worker(new URL('../server/protocol/parser/entry.ts', import.meta.url)),
    1,
    rooms,
  );
  for (const [where, bytes] of [
    ['own', body],
    ['shared', shared],
  ] as const) {
    const [whole, here]: [number[], number[]] = [[], []];
    for (let i = 0; i < 60; i++) {
      const start = performance.now();
      const reading = inferJson(bytes, undefined, model, { now: 0, reader });
      here.push(performance.now() - start);
      await reading;
      whole.push(performance.now() - start);
    }
    report(`wide: by a parser thread, body in ${where} memory`, whole);
    report('  of which this thread is busy', here);
  }
  await reader.close();
}

console.log(`${'microseconds'.padEnd(44)}${'best'.padStart(10)}${'median'.padStart(10)}`);
for (const [name, shape] of Object.entries(SHAPES)) {
  const { model, lease } = modelOf(shape);
  const body = pythonBody(shape);
  const calls = Math.ceil(60_000 / sizeOf(shape));
  const elements = lease.inputs[0]?.elements as Float32Array;
  time(`${name}: ${body.length} bytes, read into the lease`, 30, calls, () =>
    inferJson(body, undefined, model, { now: 0 }),
  );
  time(`${name}: the same by JSON.parse and set`, 30, calls, () =>
    elements.set(JSON.parse(body.toString('latin1')).inputs[0].data),
  );
  if (name === 'wide') await threads(body, model);
}
const { model } = modelOf([1, 30]);
const pending = inferJson(pythonBody([1, 30]), undefined, model, { now: 0 }) as Pending;
const answer = outcomeOf(tensorOf('y', 'FP32', [1, 10], values(10)));
time('answer of 10 values', 30, 5000, () => pending.answer(answer));
const wide = tensorOf('y', 'FP32', [150_528], values(150_528));
time('150,528 values as text', 40, 1, () => writeElements(wide, 'Error'));
time('the same by JSON.stringify', 10, 1, () => JSON.stringify(Array.from(wide.elements as Float32Array)));

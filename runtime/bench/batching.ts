/**
 * What the scheduler itself costs: an engine that answers at once, requests of one row of 30 floats, so that what is
 * measured is lease, submit, dispatch, split and answer. Prints nanoseconds a request, least of five rounds.
 */
import { servingSettingsSchema } from '@slipway/crds/serving';
import { openScheduler } from '../server/batching/openScheduler.ts';
import type { Done, Scheduler } from '../server/batching/scheduler.ts';
import type { Engine } from '../server/engine/engine.ts';
import type { TensorValue } from '../server/tensor.ts';

const FEATURES = 30;
const CLASSES = 10;
const REQUESTS = 200_000;
const ROUNDS = 5;
const SHAPES = [[1, FEATURES]];
const ROW = Float32Array.from({ length: FEATURES }, (_, i) => Math.cos(i));

const answer = (rows: number): readonly TensorValue[] => [
  { name: 'y', datatype: 'FP32', shape: [rows, CLASSES], elements: new Float32Array(rows * CLASSES) },
];
const rowsOf = (inputs: readonly TensorValue[]): number => inputs[0]?.shape[0] ?? 0;

const engine = (here: boolean): Engine => ({
  backend: 'ffi',
  signature: {
    inputs: [{ name: 'x', datatype: 'FP32', shape: [-1, FEATURES] }],
    outputs: [{ name: 'y', datatype: 'FP32', shape: [-1, CLASSES] }],
  },
  providers: ['cpu'],
  healthy: true,
  run: async (inputs) => answer(rowsOf(inputs)),
  ...(here ? { runHere: (inputs: readonly TensorValue[]) => answer(rowsOf(inputs)) } : {}),
  close: async () => {},
});

/** Keeps `callers` requests under way, each asking again at the end of the turn it was answered in. */
function load(scheduler: Scheduler, callers: number, deadline: number | undefined): Promise<number> {
  const { promise, resolve } = Promise.withResolvers<number>();
  const order = { outputs: ['y'], ...(deadline === undefined ? {} : { deadline: performance.now() + deadline }) };
  const begin = performance.now();
  let answered = 0;
  let asking = 0;
  const ask = (): void => {
    asking = 0;
    for (let i = 0; i < callers; i += 1) {
      const lease = scheduler.lease(SHAPES);
      const [input] = lease.inputs as [TensorValue];
      (input.elements as Float32Array).set(ROW);
      lease.submit(order, done);
    }
  };
  const done: Done = (error) => {
    if (error) throw error;
    answered += 1;
    asking += 1;
    if (answered >= REQUESTS) resolve(performance.now() - begin);
    else if (asking === callers) setImmediate(ask);
  };
  ask();
  return promise;
}

async function nanoseconds(callers: number, inline: boolean, deadline?: number): Promise<number> {
  let least = Infinity;
  for (let round = 0; round < ROUNDS; round += 1) {
    const settings = servingSettingsSchema.parse({});
    const scheduler = openScheduler({ engine: engine(inline), settings });
    least = Math.min(least, await load(scheduler, callers, deadline));
    await scheduler.close();
  }
  return (least * 1e6) / REQUESTS;
}

const MINUTE = 60_000;
for (const callers of [1, 8, 32, 64]) {
  const [here, away, timed] = [
    await nanoseconds(callers, true),
    await nanoseconds(callers, false),
    await nanoseconds(callers, true, MINUTE),
  ];
  const [a, b, c] = [here, away, timed].map((ns) => `${Math.round(ns)} ns`);
  process.stdout.write(`${callers} callers: inline ${a}, engine's promise ${b}, inline with deadline ${c}\n`);
}

import { expect, test } from 'vitest';
import type { Engine, RunOptions } from '../engine/engine.ts';
import type { TensorValue } from '../tensor.ts';
import { type CoresOptions, fitCores } from './fitCores.ts';

const MIB = 1024 * 1024;

/** Engines on a clock of their own: a run takes so long for each row, of all threads or of one. */
function workshop(wholeMs: number, singleMs: number, more: Partial<CoresOptions> = {}) {
  const events: string[] = [];
  let now = 0;
  const engine = (name: string, rowMs: number): Engine => ({
    backend: 'ffi',
    signature: {
      inputs: [{ name: 'x', datatype: 'FP32', shape: [-1, 1] }],
      outputs: [{ name: 'y', datatype: 'FP32', shape: [-1, 1] }],
    },
    providers: ['cpu'],
    healthy: true,
    run: async (inputs: readonly TensorValue[], _: readonly string[], options?: RunOptions) => {
      now += rowMs * (inputs[0]?.shape[0] ?? 0);
      if (options) events.push(`${name} runs`);
      return [];
    },
    close: async () => void events.push(`close ${name}`),
  });
  const options: CoresOptions = {
    settings: { perCore: 'Auto', instances: 1, spinning: false },
    cores: 2,
    maxSize: 32,
    bytes: MIB,
    open: async (threads) => {
      events.push(`open ${threads}`);
      return engine('single', singleMs);
    },
    sample: (_, rows) => [{ name: 'x', datatype: 'FP32', shape: [rows, 1], elements: new Float32Array(rows) }],
    elapsed: () => now,
    log: (cores, ratio) => events.push(`${cores} cores, ${ratio.toFixed(2)}`),
    ...more,
  };
  return { fit: (given = engine('whole', wholeMs)) => fitCores(given, options), events, engine };
}

test('a model is open twice where one run for each core is as fast as one run of all, and each run goes where it is told', async () => {
  const { fit, events } = workshop(5, 5);
  const engine = await fit();
  expect(engine.perCore).toBe(2);
  await engine.run([], ['y'], {});
  await engine.run([], ['y'], { perCore: true });
  await engine.close();
  expect(events).toEqual(['open 1', '2 cores, 1.00', 'whole runs', 'single runs', 'close whole', 'close single']);
});

test('a model that streams its weights for each run is closed again: two such runs are slower than one', async () => {
  const { fit, events } = workshop(5, 6);
  expect((await fit()).perCore).toBe(undefined);
  expect(events).toEqual(['open 1', 'close single']);
});

test.each<[string, number, Partial<CoresOptions>]>([
  ['whose runs are short', 1, {}],
  ['that would take too long to try', 200, {}],
  ['of which nobody wants that', 5, { settings: { perCore: 'Never', instances: 1, spinning: false } }],
  ['whose instances somebody chose', 5, { settings: { perCore: 'Auto', instances: 2, spinning: false } }],
  ['whose threads spin', 5, { settings: { perCore: 'Auto', instances: 1, spinning: true } }],
  ['that has one thread', 5, { settings: { perCore: 'Auto', instances: 1, spinning: false, threads: 1 } }],
  ['on one core', 5, { cores: 1 }],
  ['on more cores than there are threads for runs', 5, { cores: 16 }],
  ['whose requests share no run', 5, { maxSize: 1 }],
  ['that is too large to be there twice', 5, { bytes: 257 * MIB }],
])('a model %s is open once', async (_, ms, more) => {
  const { fit, events } = workshop(ms, ms, more);
  expect((await fit()).perCore).toBe(undefined);
  expect(events).toEqual([]);
});

test.each<[string, Partial<Engine>]>([
  ['on a GPU', { providers: ['cuda', 'cpu'] }],
  ['in a process of its own', { backend: 'node' }],
  ['without a batch dimension', { signature: { inputs: [{ name: 'x', datatype: 'FP32', shape: [4] }], outputs: [] } }],
])('a model %s is open once', async (_, more) => {
  const { fit, events, engine } = workshop(5, 5);
  expect((await fit({ ...engine('whole', 5), ...more })).perCore).toBe(undefined);
  expect(events).toEqual([]);
});

test('a model that does not run on what is tried stays as it is', async () => {
  const { fit, events } = workshop(5, 5, {
    sample: () => {
      throw new Error('no sample');
    },
  });
  expect((await fit()).perCore).toBe(undefined);
  expect(events).toEqual([]);
});

test('a model that cannot be opened a second time stays as it is', async () => {
  const { fit } = workshop(5, 5, { open: async () => Promise.reject(new Error('no memory')) });
  expect((await fit()).perCore).toBe(undefined);
});

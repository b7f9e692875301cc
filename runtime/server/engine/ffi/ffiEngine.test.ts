import { readdirSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { engineSettingsSchema } from '@slipway/crds/serving';
import { afterEach, describe, expect, it } from 'vitest';
import { node, value } from '../../../onnx/builders.ts';
import { encodeModel, type OnnxModel } from '../../../onnx/model.ts';
import { affine, lookup, mlp, slow } from '../../../test/artifacts.ts';
import { temporaryFolder } from '../../../test/temporaryFolder.ts';
import type { TensorValue } from '../../tensor.ts';
import type { Engine } from '../engine.ts';
import { measureRunMs } from '../measureRunMs.ts';
import { openFfi } from './openFfi.ts';

const MIB = 1024 * 1024;
const opened: Engine[] = [];
afterEach(() => Promise.all(opened.splice(0).map((engine) => engine.close())));

async function open(model: OnnxModel, settings: object = {}, graceMs = 1_000): Promise<Engine> {
  const path = join(await temporaryFolder('ffi'), 'model.onnx');
  await writeFile(path, encodeModel(model));
  const options = { path, digest: '', settings: engineSettingsSchema.parse(settings), cores: 1 };
  const engine = await openFfi(options, graceMs);
  opened.push(engine);
  return engine;
}

const x: TensorValue = { name: 'x', datatype: 'FP32', shape: [1], elements: Float32Array.of(1) };
const row = (...values: number[]): TensorValue => ({
  name: 'x',
  datatype: 'FP32',
  shape: [values.length / 2, 2],
  elements: Float32Array.from(values),
});

it('answers on the calling thread what it answers off it', async () => {
  const engine = await open(affine);
  const inputs = [row(1, 2, 3, 4)];
  expect(engine.runHere?.(inputs, ['y'])).toEqual(await engine.run(inputs, ['y']));
});

it('fails on the calling thread with the words of the model', async () => {
  const engine = await open(lookup);
  const code = { name: 'code', datatype: 'INT64', shape: [1, 1], elements: BigInt64Array.of(9n) } as const;
  expect(() => engine.runHere?.([code], ['rows'])).toThrow(/^indices element out of data bounds, idx=9/);
  expect(engine.runHere?.([{ ...code, elements: BigInt64Array.of(2n) }], ['rows'])[0]?.elements).toEqual(
    Float32Array.of(5, 6),
  );
});

it('carries text with a NUL in it', async () => {
  const side = (name: string) => value(name, 'BYTES', [-1]);
  const copy = { name: 'copy', inputs: [side('x')], outputs: [side('y')], initializers: [] };
  const engine = await open({ ...copy, nodes: [node('Identity', ['x'], 'y')] });
  const elements = ['a\0b', '\0', ''];
  const [y] = await engine.run([{ name: 'x', datatype: 'BYTES', shape: [3], elements }], ['y']);
  expect(y?.elements).toEqual(elements);
});

it.each<[string, TensorValue[], string[], string]>([
  ['an input that the model does not have', [{ ...row(1, 2), name: 'z' }], ['y'], 'the model has no input "z"'],
  ['an input twice', [row(1, 2), row(1, 2)], ['y'], 'an input is given twice'],
  ['an output that the model does not have', [row(1, 2)], ['z'], 'the model has no output "z"'],
  ['an output twice', [row(1, 2)], ['y', 'y'], 'an output is asked for twice'],
])('refuses %s', async (_, inputs, outputs, message) => {
  const engine = await open(affine);
  await expect(engine.run(inputs, outputs)).rejects.toMatchObject({ kind: 'InvalidInput', message });
});

it('refuses fewer elements than the shape has, for native code would read what lies behind them', async () => {
  const engine = await open(affine);
  const short = { ...row(1, 2), shape: [1_000, 2] };
  await expect(engine.run([short], ['y'])).rejects.toMatchObject({ kind: 'ModelFailed' });
});

describe('a run whose caller leaves', () => {
  it('ends early and leaves the engine of use', async () => {
    const engine = await open(slow);
    const whole = await timed(() => engine.run([x], ['y']));
    const caller = new AbortController();
    const cut = await timed(async () => {
      const run = engine.run([x], ['y'], { signal: caller.signal });
      caller.abort();
      await expect(run).rejects.toMatchObject({ kind: 'Cancelled' });
    });
    expect(cut).toBeLessThan(whole / 2);
    expect(engine.healthy).toBe(true);
    expect(await engine.run([x], ['y'])).toHaveLength(1);
  });
});

describe('a run that cannot be ended in time', () => {
  it('fails all the same, and nothing is run until it has ended', async () => {
    const engine = await open(slow, { maxRunMs: 1 }, 1);
    await expect(engine.run([x], ['y'])).rejects.toMatchObject({ kind: 'EngineLost' });
    expect(engine.healthy).toBe(false);
    await expect(engine.run([x], ['y'])).rejects.toMatchObject({ message: 'an earlier run of the model hangs' });
    await expect.poll(() => engine.healthy, { timeout: 5_000 }).toBe(true);
  });
});

it('keeps its memory over 120,000 runs, of which some fail', async () => {
  const engine = await open(mlp([8, 16, 4]));
  const input: TensorValue = { name: 'v0', datatype: 'FP32', shape: [1, 8], elements: new Float32Array(8) };
  const inputs = [input];
  const wrong = [{ ...input, shape: [1, 7] }];
  const runs = async (count: number) => {
    for (let i = 0; i < count; i++) {
      engine.runHere?.(inputs, ['v2']);
      if (i % 50 === 0) await engine.run(inputs, ['v2']);
      if (i % 50 === 1) await engine.run(wrong, ['v2']).catch(() => undefined);
    }
  };
  await runs(20_000);
  const before = settledMemory();
  await runs(100_000);
  // One native tensor that is kept of each run would be 20 MiB or more.
  expect(settledMemory() - before).toBeLessThan(16 * MIB);
});

it('onnxruntime#25325, #26831: gives back the memory of a model of 4 MiB, loaded and closed 60 times', async () => {
  const path = join(await temporaryFolder('ffi'), 'model.onnx');
  await writeFile(path, encodeModel(mlp([8, 1024, 1024, 4])));
  const options = { path, digest: '', settings: engineSettingsSchema.parse({}), cores: 1 };
  const reload = async (times: number) => {
    for (let i = 0; i < times; i++) await (await openFfi(options)).close();
  };
  await reload(10);
  const before = settledMemory();
  await reload(50);
  // Kept, they would be 200 MiB. The allocator's own ups and downs are some 30.
  expect(settledMemory() - before).toBeLessThan(80 * MIB);
});

it('measures a small model in less than a millisecond, and stops early at a slow one', async () => {
  const inputs = [{ name: 'v0', datatype: 'FP32', shape: [1, 8], elements: new Float32Array(8) } as const];
  expect(measureRunMs(await open(mlp([8, 16, 4])), inputs)).toBeLessThan(1);
  const engine = await open(slow);
  let runs = 0;
  const counting: Engine = {
    backend: engine.backend,
    signature: engine.signature,
    providers: engine.providers,
    healthy: true,
    run: (...run) => engine.run(...run),
    runHere: (inputs, outputs) => {
      runs += 1;
      return engine.runHere?.(inputs, outputs) ?? [];
    },
    close: () => engine.close(),
  };
  expect(measureRunMs(counting, [x])).toBeGreaterThan(20);
  expect(runs).toBe(1);
});

it('onnxruntime#8313, #10113: has the threads that the settings name, the one that calls among them', async () => {
  const threads = () => readdirSync('/proc/self/task').length;
  await open(affine, { threads: 1 });
  const before = threads();
  await open(affine, { threads: 4 });
  expect(threads() - before).toBe(3);
});

async function timed(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}

function settledMemory(): number {
  setFlagsFromString('--expose_gc');
  const collect = runInNewContext('gc') as () => void;
  collect();
  return process.memoryUsage().rss;
}

import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { engineSettingsSchema } from '@slipway/crds/serving';
import { afterEach, expect, it } from 'vitest';
import { node, value } from '../../../onnx/builders.ts';
import { encodeModel, type OnnxModel } from '../../../onnx/model.ts';
import { affine, slow } from '../../../test/artifacts.ts';
import { temporaryFolder } from '../../../test/temporaryFolder.ts';
import type { TensorValue } from '../../tensor.ts';
import { planSession } from '../sessionPlan.ts';
import { Child } from './child.ts';
import { NodeEngine } from './nodeEngine.ts';

const started: Child[] = [];
afterEach(() => {
  for (const child of started.splice(0)) child.kill();
});

async function childOf(model: OnnxModel, maxRunMs = 60_000): Promise<() => Child> {
  const path = join(await temporaryFolder('child'), 'model.onnx');
  await writeFile(path, encodeModel(model));
  const plan = planSession(engineSettingsSchema.parse({}), 1);
  return () => {
    const program = { file: new URL('../../../test/engineChild.ts', import.meta.url) };
    const child = new Child(program, { path, plan, device: 0, cache: undefined }, maxRunMs, () => undefined);
    started.push(child);
    return child;
  };
}

const x: TensorValue = { name: 'x', datatype: 'FP32', shape: [1], elements: Float32Array.of(1) };
const row: TensorValue = { name: 'x', datatype: 'FP32', shape: [1, 2], elements: Float32Array.of(1, 0) };

it('all that waits for a child fails when the child dies', async () => {
  const child = (await childOf(slow))();
  await child.opened;
  const runs = Promise.allSettled([child.run([x], ['y']), child.run([x], ['y'])]);
  child.kill();
  for (const run of await runs) {
    expect(run).toMatchObject({ reason: { kind: 'EngineLost', message: 'the process that ran the model ended' } });
  }
});

it('a child that does not get as far as its model is a failure', async () => {
  const child = (await childOf(slow))();
  child.kill();
  await expect(child.opened).rejects.toMatchObject({ name: 'Failure', reason: 'ModelInvalid' });
});

it('LitServe#532, serve#2357: a child that dies is replaced, and the engine is unhealthy meanwhile', async () => {
  const start = await childOf(affine);
  const first = start();
  const { signature, providers } = await first.opened;
  const engine = new NodeEngine(signature, providers, [first], start, () => undefined);
  first.kill();
  await first.ended;
  expect(engine.healthy).toBe(false);
  await expect(engine.run([row], ['y'])).rejects.toMatchObject({
    kind: 'EngineLost',
    message: 'the process that runs the model is being replaced',
  });
  await expect.poll(() => engine.healthy, { timeout: 10_000 }).toBe(true);
  expect((await engine.run([row], ['y']))[0]?.elements).toEqual(Float32Array.of(2.5));
  await engine.close();
  await Promise.all(started.map(({ ended }) => ended));
});

it('a child ends when it is told to, and runs first what it was given', async () => {
  const child = (await childOf(affine))();
  await child.opened;
  const [[y]] = await Promise.all([child.run([row], ['y']), child.close()]);
  expect(y?.elements).toEqual(Float32Array.of(2.5));
  await child.ended;
});

it('a model with a datatype that the package does not know is refused with the backend that knows it', async () => {
  const bf16 = (name: string) => value(name, 'BF16', [-1]);
  const model = { name: 'bits', inputs: [bf16('x')], outputs: [bf16('y')], initializers: [] };
  const start = await childOf({ ...model, nodes: [node('Identity', ['x'], 'y')] });
  await expect(start().opened).rejects.toMatchObject({
    reason: 'ModelInvalid',
    message: expect.stringMatching(/^model\.onnx cannot be loaded: .*; write "backend": "ffi"\.$/),
  });
});

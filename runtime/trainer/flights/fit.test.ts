import { readdir, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, beforeEach, expect, test } from 'vitest';
import { temporaryFolder } from '../../test/temporaryFolder.ts';
import { chooseBackend, type TensorFlow } from '../backend.ts';
import { Stopped } from '../stopRequest.ts';
import type { Examples } from './features.ts';
import { fit } from './fit.ts';
import { buildModel } from './model.ts';
import { normalisationOf } from './normalise.ts';

let tf: TensorFlow;
beforeAll(async () => {
  tf = (await chooseBackend()).tf;
});
let folder: string;
beforeEach(async () => {
  folder = await temporaryFolder('checkpoints');
});

const ROWS = 200;
const wave = (i: number) => Math.sin(i * 12.9898);
const examples: Examples = {
  rows: Array.from({ length: ROWS }, (_, i) => i),
  numeric: Float32Array.from({ length: ROWS * 4 }, (_, i) => wave(i) * 10),
  origin: Int32Array.from({ length: ROWS }, (_, i) => i % 5),
  destination: Int32Array.from({ length: ROWS }, (_, i) => i % 7),
  label: Float32Array.from({ length: ROWS }, (_, i) => (wave(4 * i) > 0 ? 1 : 0)),
};
const normalisation = normalisationOf(examples.numeric, 4);

/** A fresh model, trained for three epochs of five steps, or until it is asked to stop. */
async function run(over: { stopAt?: number; resume?: boolean; hiddenUnits?: string } = {}) {
  const { stopAt = Number.POSITIVE_INFINITY, resume = false, hiddenUnits = '8' } = over;
  const shape = { hiddenUnits, embeddingSize: 2, learningRate: 0.05, seed: 1 };
  const model = buildModel(tf, { origin: 5, destination: 7 }, shape);
  const steps: number[] = [];
  const said: string[] = [];
  const keep = {
    folder,
    resumeFrom: resume ? join(folder, 'latest') : undefined,
    stop: {
      get asked() {
        return (steps.at(-1) ?? 0) >= stopAt;
      },
    },
    say: (line: string) => said.push(line),
  };
  const report = async ({ step }: { step: number }) => {
    steps.push(step);
  };
  const parameters = { epochs: 3, batchSize: 40, seed: 1, checkpointEvery: 4 };
  const loss = await fit({ tf, model, normalisation, parameters, report, keep }, examples).catch(
    (error: unknown) => error,
  );
  return { loss, steps, said, weights: model.getWeights().flatMap((weight) => [...weight.dataSync()]) };
}

test('a training that was stopped and went on ends where one that was not ends', async () => {
  const whole = await run();
  folder = await temporaryFolder('checkpoints');
  const first = await run({ stopAt: 7 });
  expect(first.loss).toBeInstanceOf(Stopped);
  expect((await readdir(folder)).sort()).toEqual(['4', '7']);
  await symlink('7', join(folder, 'latest'));
  const second = await run({ resume: true });
  expect(second.said).toEqual(['goes on from the checkpoint of step 7']);
  expect(second.steps[0]).toBe(8);
  expect(second.loss).toBeCloseTo(whole.loss as number, 4);
  second.weights.forEach((weight, i) => {
    expect(weight).toBeCloseTo(whole.weights[i] ?? Number.NaN, 3);
  });
});

test.each([
  ['absent', false, '8'],
  ['that of a model of another shape', true, '16'],
])('a checkpoint that is %s is no checkpoint: training begins anew', async (_what, isThere, hiddenUnits) => {
  if (isThere) {
    await run({ stopAt: 5, hiddenUnits: '8' });
    await symlink('5', join(folder, 'latest'));
  }
  const { steps } = await run({ resume: true, hiddenUnits, stopAt: 2 });
  expect(steps).toEqual([1, 2]);
});

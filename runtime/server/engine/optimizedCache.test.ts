import { existsSync } from 'node:fs';
import { copyFile, mkdir, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { engineSettingsSchema } from '@slipway/crds/serving';
import { beforeEach, describe, expect, it } from 'vitest';
import { encodeModel } from '../../onnx/model.ts';
import { mlp } from '../../test/artifacts.ts';
import { temporaryFolder } from '../../test/temporaryFolder.ts';
import type { TensorValue } from '../tensor.ts';
import { openEngine } from './openEngine.ts';
import { keyOf, OPTIMIZED_MODEL, OPTIMIZED_WEIGHTS } from './optimizedCache.ts';
import { planSession } from './sessionPlan.ts';

const settings = engineSettingsSchema.parse({});
const key = { digest: 'sha256:1', path: '/m/model.onnx', version: '1.30.0', processor: 'x64 avx2' };
const plan = planSession(settings, 1);
const child = { file: new URL('../../test/engineChild.ts', import.meta.url) };
const input: TensorValue = { name: 'v0', datatype: 'FP32', shape: [1, 32], elements: new Float32Array(32).fill(0.5) };

/** As a disk does it, or a node that died before the file was written out. */
async function flipByte(path: string): Promise<void> {
  const bytes = await readFile(path);
  bytes[200] = (bytes[200] as number) ^ 0x40;
  await writeFile(path, bytes);
}

describe.each(['ffi', 'node'] as const)('models that the %s engine keeps', (backend) => {
  let folder: string;
  let cache: string;
  let path: string;
  let said: string[];
  beforeEach(async () => {
    folder = await temporaryFolder('optimised');
    cache = join(folder, 'cache');
    path = join(folder, 'model.onnx');
    said = [];
    await writeFile(path, encodeModel(mlp([32, 64, 1])));
  });

  async function answer(more: object = {}, from = path): Promise<unknown> {
    const engine = await openEngine({
      path: from,
      digest: 'sha256:1',
      settings: engineSettingsSchema.parse({ backend, cacheDirectory: cache, ...more }),
      cores: 1,
      child,
      log: (sentence) => said.push(sentence),
    });
    try {
      return (await engine.run([input], ['v2']))[0]?.elements;
    } finally {
      await engine.close();
    }
  }

  const entry = async (): Promise<string> => join(cache, (await readdir(cache))[0] as string);

  it('are used when it opens again, instead of what they were made of', async () => {
    const first = await answer();
    const [only, ...others] = await readdir(cache);
    expect([only, others]).toEqual([expect.stringMatching(/^[0-9a-f]{32}$/), []]);
    await writeFile(path, 'not read any more');
    expect(await answer()).toEqual(first);
    expect(said).toEqual([]);
  });

  it.each([
    ['is no model', (folder: string) => writeFile(join(folder, OPTIMIZED_MODEL), 'x')],
    ['lost its weights', (folder: string) => rm(join(folder, OPTIMIZED_WEIGHTS))],
    ['was cut off', (folder: string) => truncate(join(folder, OPTIMIZED_WEIGHTS), 100)],
    ['has one wrong weight', (folder: string) => flipByte(join(folder, OPTIMIZED_WEIGHTS))],
    ['was never finished', (folder: string) => rm(join(folder, 'digest'))],
  ])('are made anew when one %s', async (_, damage) => {
    const first = await answer();
    await damage(await entry());
    expect(await answer()).toEqual(first);
    expect(said).toEqual([expect.stringMatching(/^the optimised model in the cache cannot be used and is made anew/)]);
    expect(await answer()).toEqual(first);
    expect(said).toHaveLength(1);
  });

  it('hold the weights of a model whose weights lie beside it', async () => {
    const first = await answer();
    const source = join(folder, 'source');
    await mkdir(source);
    for (const name of [OPTIMIZED_MODEL, OPTIMIZED_WEIGHTS]) {
      await copyFile(join(await entry(), name), join(source, name));
    }
    await rm(cache, { recursive: true });
    expect(await answer({}, join(source, OPTIMIZED_MODEL))).toEqual(first);
    await rm(join(source, OPTIMIZED_WEIGHTS));
    expect(await answer({}, join(source, OPTIMIZED_MODEL))).toEqual(first);
  });

  it('are not kept where nothing can be written, and the model is served all the same', async () => {
    const other = join(path, 'cache');
    expect(await answer({ cacheDirectory: other })).toEqual(await answer());
    expect(said).toEqual([
      expect.stringMatching(/^optimised models cannot be kept in engine\.cacheDirectory: ENOTDIR/),
    ]);
    expect(existsSync(other)).toBe(false);
  });

  it('say which file of weights is missing', async () => {
    await answer();
    await rm(join(await entry(), OPTIMIZED_WEIGHTS));
    const model = join(await entry(), OPTIMIZED_MODEL);
    await expect(answer({ cacheDirectory: undefined }, model)).rejects.toMatchObject({
      reason: 'ModelInvalid',
      message: 'model.onnx cannot be loaded: its weights file weights.bin is missing; put it beside the model.',
    });
  });
});

it.each([
  ['the artifact', { digest: 'sha256:2' }],
  ['the file in it', { path: '/m/preprocess.onnx' }],
  ['the library', { version: '1.31.0' }],
  ['the processor', { processor: 'x64 avx512' }],
  ['the level', { plan: { ...plan, optimization: 'basic' as const } }],
  ['the providers', { plan: { ...plan, gpuProviders: ['cuda' as const] } }],
  ['a session entry', { plan: { ...plan, entries: { ...plan.entries, 'session.x': '1' } } }],
])('another key for a change of %s', (_, change) => {
  expect(keyOf({ ...key, plan, ...change })).not.toBe(keyOf({ ...key, plan }));
});

it('the same key wherever the artifact lies', () => {
  expect(keyOf({ ...key, plan, path: '/elsewhere/model.onnx' })).toBe(keyOf({ ...key, plan }));
});

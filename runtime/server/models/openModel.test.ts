import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { BASELINE_SCHEMA } from '@slipway/crds/contract';
import { modelSettingsSchema } from '@slipway/crds/serving';
import { describe, expect, test } from 'vitest';
import { fp32, node, value } from '../../onnx/builders.ts';
import { encodeModel, type OnnxModel } from '../../onnx/model.ts';
import { affine, lookup } from '../../test/artifacts.ts';
import { temporaryFolder } from '../../test/temporaryFolder.ts';
import { vocabulary } from '../../test/tokenizer.ts';
import { answerOf } from '../batching/scheduler.ts';
import type { ModelObservation } from '../observe/observatory.ts';
import { findModels } from './modelFolder.ts';
import { openModel, type Workshop } from './openModel.ts';

type Files = Readonly<Record<string, string | Uint8Array>>;

async function directoryOf(files: Files): Promise<string> {
  const root = join(await temporaryFolder('models'), 'flights');
  await mkdir(root);
  for (const [name, content] of Object.entries(files)) {
    await mkdir(dirname(join(root, name)), { recursive: true });
    await writeFile(join(root, name), content);
  }
  return root;
}

const NOBODY: ModelObservation = {
  wants: () => 0,
  take() {},
  failed() {},
  orderShadow() {},
  shadowEvidence: () => undefined,
  close: async () => undefined,
};

async function open(directory: string, workshop: Partial<Workshop> = {}) {
  const said: [string, object][] = [];
  const [found] = await findModels(directory);
  if (!found) throw new Error('no model was found');
  const say = (facts: object, sentence: string) => void said.push([sentence, facts]);
  const loaded = await openModel(found, {
    settings: modelSettingsSchema.parse({ engine: { threads: 1 }, ...workshop.settings }),
    cores: 1,
    digest: undefined,
    observe: () => NOBODY,
    random: Math.random,
    epoch: () => 'e1',
    elapsed: () => performance.now(),
    now: () => new Date(0),
    log: { info: say, warn: say },
    ...workshop,
  });
  return { ...loaded, said };
}

const MODEL = encodeModel(affine);
const golden = (...expected: number[]) => ({
  inputs: [{ name: 'x', datatype: 'FP32', shape: [2, 2], data: [1, 1, 2, 0] }],
  outputs: [{ name: 'y', datatype: 'FP32', shape: [2, 1], data: expected }],
});
const three: OnnxModel = {
  name: 'three',
  inputs: [value('x', 'FP32', [-1, 3])],
  outputs: [value('y', 'FP32', [-1, 3])],
  initializers: [fp32('one', [1], [1])],
  nodes: [node('Add', ['x', 'one'], 'y')],
};

test('a proven model answers, and its counters begin with the first caller', async () => {
  const request = golden(-0.5, 4.5);
  const { model, close, said } = await open(
    await directoryOf({ 'model.onnx': MODEL, 'golden.jsonl': JSON.stringify(request) }),
  );
  expect(model.identity).toEqual({
    name: 'flights',
    version: '1',
    digest: expect.stringMatching(/^sha256:[0-9a-f]{64}$/),
  });
  expect([model.healthy, model.scheduler.batchable, model.example]).toEqual([true, true, request.inputs]);
  expect([model.scheduler.counts().runs, model.evidence.snapshot().inferenceCount]).toEqual([0, 0]);
  expect(said.map(([sentence]) => sentence)).toEqual(['hashed', 'warmed up', 'opened']);
  const lease = model.scheduler.lease([[1, 2]]);
  lease.inputs[0]?.elements.fill(1 as never);
  const { outputs } = await answerOf(lease, { outputs: ['y'] });
  expect(outputs[0]?.elements[0]).toBe(-0.5);
  expect([model.scheduler.counts().runs, model.evidence.snapshot().inferenceCount]).toEqual([1, 1]);
  await close();
  expect(model.healthy).toBe(false);
});

test('a bare file is a model that nobody proved, and one that does not run on zeros is served all the same', async () => {
  const root = await temporaryFolder('models');
  await writeFile(join(root, 'lookup.onnx'), encodeModel({ ...lookup, inputs: [value('code', 'INT64', [-1, 1])] }));
  const { model, close, said } = await open(root);
  expect(model.identity.name).toBe('lookup');
  expect(said.map(([sentence]) => sentence)).toContain('no golden.jsonl: its answers here are not proven');
  await close();
});

test('a part that comes and goes changes the digest', async () => {
  const plain = await directoryOf({ 'model.onnx': MODEL });
  const labelled = await directoryOf({ 'model.onnx': MODEL, 'labels.txt': 'late' });
  const digests = [];
  for (const directory of [plain, labelled]) {
    const { model, close } = await open(directory);
    digests.push(model.identity.digest);
    await close();
  }
  expect(new Set(digests).size).toBe(2);
});

describe('a model directory that must not be served is refused in one sentence', () => {
  const json = JSON.stringify;
  const model = { 'model.onnx': MODEL };
  const feature = { kind: 'numeric', name: 'f', tensor: 'z', index: 0, count: 1, min: 0, max: 1, mean: 0, m2: 0 };
  const baseline = {
    schema: BASELINE_SCHEMA,
    features: [{ ...feature, bins: { edges: [], counts: [1] } }],
    predictions: [],
  };
  test.each<[string, Files, string, RegExp]>([
    [
      'a file that is no model',
      { 'model.onnx': 'garbage' },
      'ModelInvalid',
      /^model\.onnx cannot be loaded: it is not an ONNX model/,
    ],
    ['a later opset', { 'model.onnx': encodeModel({ ...affine, opset: 99 }) }, 'ModelInvalid', /it uses opset 99/],
    [
      'an unknown operator',
      { 'model.onnx': encodeModel({ ...affine, nodes: [node('Zip', ['x'], 'y')] }) },
      'ModelInvalid',
      /operator Zip of opset 17/,
    ],
    [
      'a preprocessing that is no model',
      { ...model, 'preprocess.onnx': 'x' },
      'ModelInvalid',
      /^preprocess\.onnx cannot be loaded: /,
    ],
    [
      'a preprocessing for another model',
      { ...model, 'preprocess.onnx': encodeModel(three) },
      'ModelInvalid',
      /^model\.onnx takes "x" as FP32\[-1,2\], an earlier part takes it as FP32\[-1,3\]\.$/,
    ],
    [
      'a tokenizer without a model of text',
      { ...model, 'tokenizer.json': json(vocabulary) },
      'ModelInvalid',
      /^tokenizer\.json makes "input_ids"/,
    ],
    [
      'a signature that is none',
      { ...model, 'signature.json': '{}' },
      'SignatureInvalid',
      /^signature\.json is not a signature: inputs: /,
    ],
    [
      'a signature that the model does not keep',
      { ...model, 'signature.json': json({ inputs: [], outputs: [] }) },
      'SignatureInvalid',
      /^signature\.json lacks the input "x" of the model\.$/,
    ],
    [
      'too many labels',
      { 'model.onnx': encodeModel(three), 'labels.txt': 'a\nb\nc\nd' },
      'ModelInvalid',
      /^labels\.txt names 4 classes, and no output has as many entries: "y" is FP32\[-1,3\]\.$/,
    ],
    [
      'a baseline of another model',
      { ...model, 'baseline.json': json(baseline) },
      'OutputInvalid',
      /^baseline\.json: feature "f" lies in "z", which is no input of the model\.$/,
    ],
    [
      'a golden request that it answers differently',
      { ...model, 'golden.jsonl': json(golden(-0.5, 4.6)) },
      'GoldenMismatch',
      /^Request 1 of golden\.jsonl: output "y" element 1 is 4\.5, expected 4\.6 \(tolerance 0\.0001\)\.$/,
    ],
    [
      'a golden request for another model',
      { 'model.onnx': encodeModel(three), 'golden.jsonl': json(golden(1, 1)) },
      'GoldenMismatch',
      /shape \[2,2\] does not fit \[-1,3\]/,
    ],
  ])('%s', async (_what, files, reason, message) => {
    const refusal = await open(await directoryOf(files)).catch((error: unknown) => error);
    expect(refusal).toMatchObject({ reason, message: expect.stringMatching(message) });
  });

  test('another digest than was asked for, before anything is loaded', async () => {
    const digest = `sha256:${'0'.repeat(64)}`;
    const refusal = await open(await directoryOf({ 'model.onnx': 'garbage' }), { digest }).catch((e: unknown) => e);
    expect(refusal).toMatchObject({
      reason: 'DigestMismatch',
      message: expect.stringMatching(/^The artifact has digest sha256:[0-9a-f]{64}, sha256:0{64} was asked for\.$/),
    });
  });

  test.each([
    ['leads to itself', 'model.onnx'],
    ['leads out of the folder', '/etc/hostname'],
    ['leads nowhere', 'gone.onnx'],
    ['leads to a folder', '.'],
  ])('a link that %s', async (_what, target) => {
    const directory = await directoryOf({ 'card.md': '#' });
    await symlink(target, join(directory, 'model.onnx'));
    await expect(open(directory)).rejects.toThrow(
      'model.onnx is a link to something that is not a file of the artifact; copy it instead.',
    );
  });
});

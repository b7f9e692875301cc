import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { decodeReport, type Gate } from '@slipway/crds';
import { verificationReportSchema } from '@slipway/crds/contract';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Failure } from '../artifact/failure.ts';
import { hashArtifact } from '../artifact/hash.ts';
import { encodeModel } from '../onnx/model.ts';
import { affine, sumOf } from '../test/artifacts.ts';
import { runEvaluator } from './run.ts';
import { type Verification, verify } from './verify.ts';

const GATES = [
  { name: 'accuracy', metric: 'accuracy' as const, min: '0.80' },
  { name: 'ranking', metric: 'rocAuc' as const, min: '0.95' },
];
const GOLDEN = {
  inputs: [{ name: 'x', datatype: 'FP32', shape: [1, 2], data: [1, 1] }],
  outputs: [{ name: 'y', datatype: 'FP32', shape: [1, 1], data: [-0.5] }],
};
const PREDICTIONS = Array.from({ length: 400 }, (_, id) => {
  const label = id % 2;
  const prediction = id % 10 === 0 ? 1 - label : label;
  return { id, label, prediction, score: 0.1 + 0.8 * prediction };
});

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'verify-'));
  await mkdir(join(root, 'evaluation'));
  await put('model.onnx', encodeModel(affine));
  await put('golden.jsonl', `${JSON.stringify(GOLDEN)}\n`);
  await put('evaluation/predictions.jsonl', PREDICTIONS.map((p) => `${JSON.stringify(p)}\n`).join(''));
});
afterEach(() => rm(root, { recursive: true, force: true }));

const put = (path: string, content: string | Uint8Array) => writeFile(join(root, path), content);
const digestNow = async () => (await hashArtifact(root)).digest;
const context = { say: () => undefined, now: () => 0 };
const orderOf = (digest: string, gates: readonly Gate[]): Verification => ({
  artifact: { dir: root },
  digest,
  gates,
  context,
  elapsed: () => performance.now(),
});
const verifyNow = async (gates = GATES) => verify(orderOf(await digestNow(), gates));
const reasonOf = (work: Promise<unknown>) =>
  work.then(
    () => 'verified',
    (error: unknown) => (error instanceof Failure ? `${error.reason}: ${error.message}` : error),
  );

describe('a sound artifact', () => {
  it('is reported with its signature and the verdict of each gate', async () => {
    const report = verificationReportSchema.parse(await verifyNow());
    expect(report).toMatchObject({
      files: 3,
      signature: { inputs: [{ name: 'x', shape: [-1, 2] }], outputs: [{ name: 'y', shape: [-1, 1] }] },
      gates: [
        { name: 'accuracy', verdict: 'Pass', value: 0.9, n: 400 },
        { name: 'ranking', verdict: 'Fail' },
      ],
    });
  });

  it('gets the same verdict each time', async () => {
    expect(await verifyNow()).toEqual(await verifyNow());
  });

  it('needs no predictions when it has no gates', async () => {
    await rm(join(root, 'evaluation'), { recursive: true });
    expect((await verifyNow([])).gates).toEqual([]);
  });
});

describe('an artifact is refused', () => {
  it('when any byte of any file was flipped', async () => {
    const digest = await digestNow();
    for (const path of ['model.onnx', 'golden.jsonl', 'evaluation/predictions.jsonl']) {
      const original = await readFile(join(root, path));
      const flipped = Buffer.from(original);
      const middle = Math.floor(flipped.length / 2);
      flipped[middle] = (flipped[middle] ?? 0) ^ 1;
      await put(path, flipped);
      const work = verify(orderOf(digest, GATES));
      expect(await reasonOf(work), path).toMatch(/^DigestMismatch: The files have digest sha256:/);
      await put(path, original);
    }
  });

  it.each<[string, () => Promise<unknown>, RegExp]>([
    ['that has no model', () => rm(join(root, 'model.onnx')), /^ModelMissing/],
    ['whose model cannot be loaded', () => put('model.onnx', 'no'), /^ModelInvalid/],
    [
      'whose signature promises another input',
      () =>
        put('signature.json', JSON.stringify({ inputs: [{ name: 'z', datatype: 'FP32', shape: [-1] }], outputs: [] })),
      /^SignatureInvalid/,
    ],
    [
      'with more inputs than a version can tell of',
      async () => {
        await put('model.onnx', encodeModel(sumOf(65)));
        await put('golden.jsonl', '');
      },
      /^SignatureInvalid: The model has 65 inputs and 1 outputs, and a version has at most 64 of each: join those/,
    ],
    [
      'whose golden answers differ',
      () => put('golden.jsonl', JSON.stringify({ ...GOLDEN, outputs: [{ ...GOLDEN.outputs[0], data: [7] }] })),
      /^GoldenMismatch/,
    ],
    ['without predictions', () => rm(join(root, 'evaluation'), { recursive: true }), /^PredictionsMissing/],
    [
      'with an empty predictions file',
      () => put('evaluation/predictions.jsonl', '\n'),
      /^PredictionsInvalid.*no predictions/,
    ],
    [
      'with a line that is no prediction',
      () => put('evaluation/predictions.jsonl', '{"id":1,"label":1,"prediction":1,"score":0.5}\n{"id":2}\n'),
      /^PredictionsInvalid: Line 2 of evaluation\/predictions.jsonl is not a prediction: label: /,
    ],
    [
      'with a score that is no probability',
      () => put('evaluation/predictions.jsonl', '{"id":1,"label":1,"prediction":1,"score":1.5}\n'),
      /^PredictionsInvalid: Line 1 .*score: /,
    ],
  ])('%s', async (_what, spoil, reason) => {
    await spoil();
    expect(await reasonOf(verifyNow())).toMatch(reason);
  });

  it('that is not there', async () => {
    const work = verify({ ...orderOf('sha256:', []), artifact: { dir: join(root, 'no') } });
    expect(await reasonOf(work)).toMatch(/^ArtifactMissing/);
  });
});

describe('the command', () => {
  const run = async (env: Record<string, string>) => {
    const log = `${root}-termination-log`;
    const complaints: string[] = [];
    const code = await runEvaluator('verify', {
      env: { SLIPWAY_TERMINATION_LOG: log, SLIPWAY_ARTIFACT_DIR: root, ...env },
      now: () => 0,
      say: () => undefined,
      complain: (line) => complaints.push(line),
    });
    const report = decodeReport(await readFile(log, 'utf8'));
    await rm(log);
    return { code, complaints, report };
  };

  it('ends with the report, compressed where many gates make it long', async () => {
    const gates = Array.from({ length: 32 }, (_, i) => ({ name: `gate-${i}`, metric: 'accuracy', min: `0.${10 + i}` }));
    const { code, report } = await run({
      SLIPWAY_MODEL_DIGEST: await digestNow(),
      SLIPWAY_GATES: JSON.stringify(gates),
    });
    expect(code).toBe(0);
    expect(report).toMatchObject({ schema: 'slipway.dev/verification/v1', gates: { length: 32 } });
  });

  it('succeeds when a gate fails: that is a result, not an error', async () => {
    const gates = JSON.stringify([{ name: 'a', metric: 'accuracy', min: '0.99' }]);
    const { code, report } = await run({ SLIPWAY_MODEL_DIGEST: await digestNow(), SLIPWAY_GATES: gates });
    expect(code).toBe(0);
    expect(report).toMatchObject({ gates: [{ verdict: 'Fail' }] });
  });

  it.each([
    ['gates that are not JSON', '[', 'SLIPWAY_GATES must be a JSON list of gates as in the spec'],
    ['a gate with both limits', '[{"name":"a","metric":"f1","min":"0","max":"1"}]', 'exactly one of min'],
    ['an unknown metric', '[{"name":"a","metric":"mape","min":"0"}]', '0.metric'],
  ])('refuses %s', async (_what, gates, sentence) => {
    const { code, complaints } = await run({ SLIPWAY_MODEL_DIGEST: await digestNow(), SLIPWAY_GATES: gates });
    expect(code).toBe(64);
    expect(complaints[0]).toContain(sentence);
  });

  it('refuses a digest that is none', async () => {
    const { code, complaints } = await run({ SLIPWAY_MODEL_DIGEST: 'latest' });
    expect(code).toBe(64);
    expect(complaints).toEqual(['SLIPWAY_MODEL_DIGEST must be sha256:<64 hex digits>, not "latest".']);
  });
});

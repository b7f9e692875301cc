import { spawn } from 'node:child_process';
import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { once } from 'node:events';
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, truncate, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { decodeReport } from '@slipway/crds';
import { BASELINE_SCHEMA, publishReportSchema } from '@slipway/crds/contract';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Failure } from '../artifact/failure.ts';
import { hashArtifact } from '../artifact/hash.ts';
import { verifySignature } from '../artifact/signing/verifySignature.ts';
import { encodeModel } from '../onnx/model.ts';
import { affine } from '../test/artifacts.ts';
import { publish } from './publish.ts';
import { runEvaluator } from './run.ts';

/** A baseline without anything to compare, of a data set of that name. */
const baseline = (name = 'theirs') =>
  JSON.stringify({
    schema: BASELINE_SCHEMA,
    dataset: { name, digest: 'sha256:0', rows: 1 },
    features: [],
    predictions: [],
  });

let root: string;
const output = () => join(root, 'output');
/** The claim models is mounted among the claims, and the store is a folder on it. */
const claims = () => join(root, 'claims');
const store = () => join(claims(), 'models', 'team');
const NOW = Date.now();
const STORE = JSON.stringify({ uri: 'pvc://models/team' });

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'publish-'));
  await mkdir(join(output(), 'model', 'tokenizer'), { recursive: true });
  await mkdir(store(), { recursive: true });
  await writeFile(join(output(), 'model', 'model.onnx'), encodeModel(affine));
  await writeFile(join(output(), 'model', 'tokenizer', 'words.txt'), 'a\nb\n');
  await writeFile(join(output(), 'golden.jsonl'), '');
  await writeFile(join(output(), 'baseline.json'), baseline());
  await writeFile(join(output(), 'metrics.json'), '{"accuracy": 1}');
  await writeFile(join(output(), 'predictions.jsonl'), '{"id":1,"label":1,"prediction":1}\n');
});
afterEach(() => rm(root, { recursive: true, force: true }));

const publication = () => ({
  outputDir: output(),
  inputDir: join(root, 'input'),
  store: { uri: 'pvc://models/team' },
  modelName: 'flights',
  context: { now: () => NOW, say: () => undefined, claims: claims() },
});
const stored = () => readdir(join(store(), 'flights'));
const visible = async () => (await stored()).filter((name) => !name.startsWith('.'));
const failureOf = (work: Promise<unknown>): Promise<Failure> =>
  work.then(
    () => expect.fail('it succeeded'),
    (error: unknown) => {
      expect(error).toBeInstanceOf(Failure);
      return error as Failure;
    },
  );

describe('a published model', () => {
  it('kubeflow/trainer#2245, #2438: lies under its digest, with the files where the contract wants them', async () => {
    const report = publishReportSchema.parse(await publish(publication()));
    const folder = report.digest.replace(':', '-');
    expect(report.uri).toBe(`pvc://models/team/flights/${folder}`);
    expect(await stored()).toEqual([folder]);
    const hash = await hashArtifact(join(store(), 'flights', folder));
    expect(hash).toMatchObject({ digest: report.digest, files: report.files, bytes: report.bytes });
    expect(hash.entries.map(({ path }) => path)).toEqual([
      'baseline.json',
      'evaluation/metrics.json',
      'evaluation/predictions.jsonl',
      'golden.jsonl',
      'model.onnx',
      'signature.json',
      'tokenizer/words.txt',
    ]);
    const manifest = JSON.parse(await readFile(join(store(), 'flights', folder, 'manifest.json'), 'utf8'));
    expect(manifest).toEqual({ schema: 'slipway.dev/manifest/v1', digest: report.digest, files: hash.entries });
  });

  it('gets the signature that the model itself declares', async () => {
    const { digest } = await publish(publication());
    const text = await readFile(join(store(), 'flights', digest.replace(':', '-'), 'signature.json'), 'utf8');
    expect(JSON.parse(text)).toEqual({
      inputs: [{ name: 'x', datatype: 'FP32', shape: [-1, 2] }],
      outputs: [{ name: 'y', datatype: 'FP32', shape: [-1, 1] }],
    });
  });

  it('keeps the files of the model folder where the output has the same', async () => {
    await writeFile(join(output(), 'model', 'baseline.json'), baseline('mine'));
    const { digest } = await publish(publication());
    expect(await readFile(join(store(), 'flights', digest.replace(':', '-'), 'baseline.json'), 'utf8')).toBe(
      baseline('mine'),
    );
  });

  it('can be read by every user, whatever the mode the trainer wrote', async () => {
    await chmod(join(output(), 'model', 'model.onnx'), 0o600);
    const { digest } = await publish(publication());
    const { mode } = await stat(join(store(), 'flights', digest.replace(':', '-'), 'model.onnx'));
    expect(mode & 0o777).toBe(0o644);
  });

  it('is one folder, however often it is published', async () => {
    const [first, second] = [await publish(publication()), await publish(publication())];
    expect(second).toEqual(first);
    expect(await stored()).toHaveLength(1);
  });
});

describe('what the trainer did not write', () => {
  const SIGNATURE = {
    inputs: [{ name: 'x', datatype: 'FP32', shape: [-1, 2], columns: ['distance', 'hour'] }],
    outputs: [{ name: 'y', datatype: 'FP32', shape: [-1, 1] }],
  };
  const input = () => join(root, 'input', 'train');
  const published = async (name: string) => {
    const { digest } = await publish(publication());
    return readFile(join(store(), 'flights', digest.replace(':', '-'), name), 'utf8');
  };
  beforeEach(async () => {
    await rm(join(output(), 'baseline.json'));
    await writeFile(join(output(), 'model', 'signature.json'), JSON.stringify(SIGNATURE));
    await mkdir(input(), { recursive: true });
  });

  it('is made of the columns of input/train that the signature names', async () => {
    const rows = Array.from({ length: 40 }, (_, i) => `${i * 10},${i % 24},x`);
    await writeFile(join(input(), 'part.csv'), ['distance,hour,carrier', ...rows].join('\n'));
    const { features, dataset } = JSON.parse(await published('baseline.json'));
    expect(dataset.rows).toBe(40);
    expect(features).toMatchObject([
      { name: 'distance', tensor: 'x', index: 0, kind: 'numeric', count: 40, min: 0, max: 390, mean: 195 },
      { name: 'hour', tensor: 'x', index: 1, kind: 'numeric', max: 23 },
    ]);
  });

  it('is the same each time, as the digest is', async () => {
    await writeFile(join(input(), 'part.jsonl'), '{"distance":1}\n\n{"distance":2}\n');
    expect(await published('baseline.json')).toBe(await published('baseline.json'));
    expect(await stored()).toHaveLength(1);
  });

  it.each([
    ['other columns', 'part.csv', 'a,b\n1,2\n', 'no column of input/train is an input of the model (distance, hour)'],
    ['no table', 'image.png', '', 'input/train holds no .csv'],
    ['a broken table', 'part.csv', 'distance,hour\n1,2,3\n', 'part.csv is no table'],
  ])('is said to be missing with %s, and the model is published', async (_what, name, text, sentence) => {
    await writeFile(join(input(), name), text);
    const lines: string[] = [];
    const context = { ...publication().context, say: (line: string) => lines.push(line) };
    const { digest } = await publish({ ...publication(), context });
    expect(await readdir(join(store(), 'flights', digest.replace(':', '-')))).not.toContain('baseline.json');
    expect(lines.join('\n')).toContain(sentence);
  });

  it('is imported from statistics of SageMaker Model Monitor', async () => {
    const bucket = (lower_bound: number, upper_bound: number, count: number) => ({ lower_bound, upper_bound, count });
    const buckets = [bucket(0, 10, 5), bucket(10, 20, 15), bucket(20, 30, 20)];
    const numerical_statistics = {
      common: { num_present: 40, num_missing: 0 },
      mean: 15,
      sum: 600,
      std_dev: 2,
      min: 0,
      max: 30,
      distribution: { kll: { buckets, sketch: { parameters: {}, data: [] } } },
    };
    const features = [{ name: 'distance', inferred_type: 'Fractional', numerical_statistics }];
    const statistics = { version: 0, dataset: { item_count: 40 }, features };
    await writeFile(join(output(), 'statistics.json'), JSON.stringify(statistics));
    expect(JSON.parse(await published('baseline.json')).features).toEqual([
      {
        name: 'distance',
        tensor: 'x',
        index: 0,
        kind: 'numeric',
        count: 40,
        min: 0,
        max: 30,
        mean: 15,
        m2: 160,
        bins: { edges: [10, 20], counts: [5, 15, 20] },
      },
    ]);
  });

  it.each(['camelCase', 'snake_case'])('is imported from statistics of TFDV in %s', async (naming) => {
    const histogram = (type: string, highs: number[]) => ({
      type,
      buckets: highs.map((highValue) => ({ lowValue: 0, highValue, sampleCount: 10.4 })),
    });
    const numStats = {
      commonStats: { numNonMissing: '31' },
      mean: 2,
      stdDev: 1,
      max: 9,
      histograms: [histogram('STANDARD', [1, 2]), histogram('QUANTILES', [1, 1, 9])],
    };
    const list = { datasets: [{ numExamples: '31', features: [{ path: { step: ['hour'] }, type: 'INT', numStats }] }] };
    const snake = (text: string) =>
      text.replace(/"([a-z]+[A-Z][A-Za-z]*)":/g, (key) => key.replace(/[A-Z]/g, (c) => `_${c.toLowerCase()}`));
    const text = JSON.stringify(list);
    await writeFile(join(output(), 'baseline.json'), naming === 'camelCase' ? text : snake(text));
    expect(JSON.parse(await published('baseline.json')).features).toEqual([
      {
        name: 'hour',
        tensor: 'x',
        index: 1,
        kind: 'numeric',
        count: 31,
        min: 0,
        max: 9,
        mean: 2,
        m2: 31,
        bins: { edges: [1], counts: [20, 10] },
      },
    ]);
  });
});

describe('a signed publish', () => {
  const keys = () => join(root, 'keys');
  const pair = () => generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const signWith = async (key: KeyObject) => {
    await mkdir(keys(), { recursive: true });
    await writeFile(join(keys(), 'cosign.key'), key.export({ type: 'pkcs8', format: 'pem' }));
    return publish({ ...publication(), signingKeyFile: keys() });
  };
  const claimsOf = (digest: string) =>
    readFile(join(store(), 'flights', digest.replace(':', '-'), 'claims.jsonl'), 'utf8');

  it('leaves a signature beside the files that the key verifies, once for each key', async () => {
    const [mine, theirs] = [pair(), pair()];
    const { digest } = await signWith(mine.privateKey);
    await signWith(mine.privateKey);
    expect((await claimsOf(digest)).trim().split('\n')).toHaveLength(1);
    await signWith(theirs.privateKey);
    expect((await claimsOf(digest)).trim().split('\n')).toHaveLength(2);
    const { entries } = await hashArtifact(join(store(), 'flights', digest.replace(':', '-')));
    for (const { publicKey } of [mine, theirs]) {
      await writeFile(join(keys(), 'pub'), publicKey.export({ type: 'spki', format: 'pem' }));
      await verifySignature(join(store(), 'flights', digest.replace(':', '-')), entries, join(keys(), 'pub'));
    }
  });

  it('publishes nothing with a key that is none', async () => {
    await mkdir(keys());
    const { reason } = await failureOf(publish({ ...publication(), signingKeyFile: keys() }));
    expect(reason).toBe('ConfigurationInvalid');
    expect(await readdir(store())).toEqual([]);
  });
});

describe('a publish that cannot succeed', () => {
  it('names the model file that is missing', async () => {
    await rm(join(output(), 'model', 'model.onnx'));
    expect(await failureOf(publish(publication()))).toMatchObject({
      reason: 'OutputInvalid',
      message: 'The output has no model/model.onnx; the training container must write its model there.',
    });
  });

  it('leaves nothing in the store when the model cannot be loaded', async () => {
    await writeFile(join(output(), 'model', 'model.onnx'), 'not a model');
    expect((await failureOf(publish(publication()))).reason).toBe('ModelInvalid');
    expect(await readdir(store())).toEqual([]);
  });

  it.each([
    ['that is none', '{}', 'baseline.json is not a baseline: schema: '],
    [
      'of a tensor that the model does not have',
      baseline().replace(
        '"features":[]',
        '"features":[{"name":"f","tensor":"z","index":0,"kind":"categorical","count":0,"categories":[],"other":0}]',
      ),
      'baseline.json: feature "f" lies in "z", which is no input of the model.',
    ],
  ])('names the fault of a baseline %s', async (_what, content, sentence) => {
    await writeFile(join(output(), 'baseline.json'), content);
    const { reason, message } = await failureOf(publish(publication()));
    expect(reason).toBe('OutputInvalid');
    expect(message).toContain(sentence);
    expect(await readdir(store())).toEqual([]);
  });

  it('mlflow/mlflow#3175: does not overwrite, nor trust, a folder of the store whose content is not what its name says', async () => {
    const { digest } = await publish(publication());
    await writeFile(join(store(), 'flights', digest.replace(':', '-'), 'model.onnx'), 'changed');
    expect(await failureOf(publish(publication()))).toMatchObject({
      reason: 'DigestMismatch',
      message: expect.stringContaining('remove that folder and publish again'),
    });
  });

  it('says that the store cannot be written', async () => {
    await writeFile(join(store(), 'flights'), 'a file where the folder must be');
    expect((await failureOf(publish(publication()))).reason).toBe('StoreUnavailable');
  });
});

describe('a publisher that is killed', () => {
  it('leaves nothing visible, and the next one succeeds', { timeout: 60_000 }, async () => {
    await truncate(join(output(), 'model', 'model.onnx'), 512 * 1024 * 1024);
    await writeFile(join(output(), 'model', 'signature.json'), '{"inputs":[],"outputs":[]}');
    const child = spawn(process.execPath, [join(import.meta.dirname, 'main.ts'), 'publish'], {
      env: {
        SLIPWAY_OUTPUT_DIR: output(),
        SLIPWAY_CLAIMS_DIR: claims(),
        SLIPWAY_STORE: STORE,
        SLIPWAY_MODEL_NAME: 'flights',
      },
      stdio: 'ignore',
    });
    const exited = once(child, 'exit');
    for (let tries = 0; tries < 2000; tries++) {
      if ((await stored().catch(() => [])).length > 0) break;
      await delay(5);
    }
    child.kill('SIGKILL');
    expect(await exited).toEqual([null, 'SIGKILL']);
    expect(await stored()).toHaveLength(1);
    expect(await visible()).toEqual([]);

    await writeFile(join(output(), 'model', 'model.onnx'), encodeModel(affine));
    const { digest } = await publish(publication());
    expect(await visible()).toEqual([digest.replace(':', '-')]);
  });

  it('has what it left swept up a day later, and not while another may still be at work', async () => {
    const leftover = join(store(), 'flights', '.staging-dead');
    await mkdir(leftover, { recursive: true });
    const at = (hoursAgo: number) => new Date(NOW - hoursAgo * 3600_000);
    await utimes(leftover, at(23), at(23));
    await publish(publication());
    expect(await stored()).toContain('.staging-dead');
    await utimes(leftover, at(25), at(25));
    await publish(publication());
    expect(await stored()).not.toContain('.staging-dead');
  });
});

describe('the command', () => {
  const run = async (env: Record<string, string>) => {
    const log = join(root, 'termination-log');
    const complaints: string[] = [];
    const code = await runEvaluator('publish', {
      env: { SLIPWAY_TERMINATION_LOG: log, SLIPWAY_OUTPUT_DIR: output(), SLIPWAY_CLAIMS_DIR: claims(), ...env },
      now: () => NOW,
      say: () => undefined,
      complain: (line) => complaints.push(line),
    });
    return { code, complaints, report: decodeReport(await readFile(log, 'utf8')) };
  };

  it('ends with the report as its termination message', async () => {
    const { code, report } = await run({ SLIPWAY_STORE: '{"uri":"pvc://models/"}', SLIPWAY_MODEL_NAME: 'flights' });
    expect(code).toBe(0);
    expect(report).toMatchObject({
      schema: 'slipway.dev/publish/v1',
      uri: expect.stringMatching(/^pvc:\/\/models\/flights\/sha256-[0-9a-f]{64}$/),
    });
  });

  it('ends with the cause when it fails', async () => {
    await rm(join(output(), 'model'), { recursive: true });
    const { code, report } = await run({ SLIPWAY_STORE: STORE, SLIPWAY_MODEL_NAME: 'flights' });
    expect(code).toBe(1);
    expect(report).toMatchObject({ schema: 'slipway.dev/termination/v1', reason: 'OutputInvalid' });
  });

  it.each([
    ['without a store address', { SLIPWAY_MODEL_NAME: 'flights' }, 'SLIPWAY_STORE must be set.'],
    [
      'with a model name that would leave the store',
      { SLIPWAY_STORE: STORE, SLIPWAY_MODEL_NAME: '../other' },
      'SLIPWAY_MODEL_NAME must be a DNS label, not "../other".',
    ],
  ])('refuses to start %s', async (_what, env, sentence) => {
    expect(await run(env)).toMatchObject({ code: 64, complaints: [sentence] });
  });
});

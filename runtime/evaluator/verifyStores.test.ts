import { generateKeyPairSync } from 'node:crypto';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { decodeReport, type Gate } from '@slipway/crds';
import { beforeEach, describe, expect, it } from 'vitest';
import { Failure } from '../artifact/failure.ts';
import { hashArtifact } from '../artifact/hash.ts';
import { readPrivateKey } from '../artifact/signing/keys.ts';
import { claimOf } from '../artifact/signing/sign.ts';
import { temporaryFolder } from '../test/temporaryFolder.ts';
import { publish } from './publish.ts';
import { runEvaluator } from './run.ts';
import { orderOf, putArtifact, rivalOf, soundPredictions, specOf } from './testing/store.ts';
import { verify } from './verify.ts';

const VERSUS: Gate = { name: 'no-regression', metric: 'accuracy', versus: 'Production', margin: '0.05' };

let claims: string;
beforeEach(async () => {
  claims = await temporaryFolder('claims');
});
const reasonOf = (work: Promise<unknown>) =>
  work.then(
    () => 'verified',
    (error: unknown) => (error instanceof Failure ? `${error.reason}: ${error.message}` : error),
  );
const versus = async (more: object = {}) => {
  const digest = await putArtifact(claims, 'flights/new', soundPredictions(100));
  const rival = { ...rivalOf('flights/old', `sha256:${'0'.repeat(64)}`), ...more };
  return verify(orderOf(claims, specOf('flights/new', digest), [VERSUS], [rival]));
};

describe('a rival', () => {
  it('that cannot be read ends the verification with a reason that is tried again', async () => {
    expect(await reasonOf(versus())).toMatch(
      /^RivalUnavailable: flights-1\.3\.0, which gates compare with, cannot be read: /,
    );
  });

  it('whose files were changed is not compared with', async () => {
    await putArtifact(claims, 'flights/old', soundPredictions(100));
    expect(await reasonOf(versus())).toMatch(/^RivalUnavailable.*they were changed after they were published/);
  });

  it('without predictions shares no example', async () => {
    const digest = await putArtifact(claims, 'flights/old', undefined);
    const { gates } = await versus({ digest });
    expect(gates[0]).toMatchObject({ verdict: 'NeedMore', n: 0 });
  });

  it('is opened only where a gate names it', async () => {
    const digest = await putArtifact(claims, 'flights/new', soundPredictions(100));
    const rival = rivalOf('flights/gone', `sha256:${'0'.repeat(64)}`);
    const { gates } = await verify(
      orderOf(claims, specOf('flights/new', digest), [{ name: 'size', maxBytes: '1Gi' }], [rival]),
    );
    expect(gates[0]).toMatchObject({ verdict: 'Pass' });
  });
});

describe('a signature that is asked for', () => {
  const keys = () => {
    const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    return {
      publicPem: publicKey.export({ type: 'spki', format: 'pem' }).toString(),
      privatePem: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    };
  };

  it('is verified before the model is loaded, and its key told', async () => {
    const digest = await putArtifact(claims, 'flights/new', soundPredictions(100));
    const folder = join(claims, 'models/flights/new');
    const { publicPem, privatePem } = keys();
    const [keyFile, secretFile] = [join(claims, 'cosign.pub'), join(claims, 'cosign.key')];
    await writeFile(keyFile, publicPem);
    await writeFile(secretFile, privatePem);
    const order = { ...orderOf(claims, specOf('flights/new', digest), []), keyFile };
    expect(await reasonOf(verify(order))).toMatch(/^SignatureMissing/);
    const { entries } = await hashArtifact(folder);
    await writeFile(join(folder, 'claims.jsonl'), `${claimOf('flights', entries, await readPrivateKey(secretFile))}\n`);
    expect((await verify(order)).signedBy).toMatch(/^(sha256:)?[0-9a-f]{64}$/);
    await writeFile(keyFile, keys().publicPem);
    expect(await reasonOf(verify(order))).toMatch(/^SignatureMismatch/);
  });
});

describe('the command in a pod', () => {
  it('reads place, rivals and spec from its environment, compares, and leaves the reports', async () => {
    const old = await putArtifact(claims, 'flights/old', soundPredictions(200));
    const digest = await putArtifact(claims, 'flights/new', soundPredictions(200));
    const log = join(claims, 'termination-log');
    const said: string[] = [];
    const env = {
      SLIPWAY_TERMINATION_LOG: log,
      SLIPWAY_CLAIMS_DIR: claims,
      SLIPWAY_ARTIFACT: JSON.stringify({ uri: 'pvc://models/flights/new' }),
      SLIPWAY_MODEL_DIGEST: digest,
      SLIPWAY_GATES: JSON.stringify([VERSUS]),
      SLIPWAY_RIVALS: JSON.stringify([rivalOf('flights/old', old)]),
      SLIPWAY_MODEL_VERSION_SPEC: JSON.stringify(specOf('flights/new', digest)),
    };
    const around = {
      now: () => 0,
      say: (line: string) => said.push(line),
      complain: (line: string) => said.push(line),
    };
    expect(await runEvaluator('verify', { env, ...around })).toBe(0);
    expect(decodeReport(await readFile(log, 'utf8'))).toMatchObject({
      gates: [{ verdict: 'Pass', n: 200 }],
      reports: { uri: 'pvc://models/flights/new.reports/flights-1.4.0' },
    });
    for (const [name, complaint] of [
      ['SLIPWAY_RIVALS', 'SLIPWAY_RIVALS must be a JSON list of versions to compare with'],
      ['SLIPWAY_MODEL_VERSION_SPEC', 'SLIPWAY_MODEL_VERSION_SPEC must be the spec of a ModelVersion as JSON'],
    ] as const) {
      expect(await runEvaluator('verify', { env: { ...env, [name]: '[{}]' }, ...around })).toBe(64);
      expect(said.at(-1)).toContain(complaint);
    }
  });
});

describe('kubeflow/trainer#2749: loss and accuracy come back from a run', () => {
  it('what the training writes below output/evaluation is published, and a gate can hold it', async () => {
    const output = await temporaryFolder('output');
    await mkdir(join(output, 'evaluation'), { recursive: true });
    await putArtifact(output, 'x', undefined);
    await mkdir(join(output, 'model'));
    for (const name of ['model.onnx', 'golden.jsonl'])
      await writeFile(join(output, 'model', name), await readFile(join(output, 'models/x', name)));
    await rm(join(output, 'models'), { recursive: true });
    await writeFile(join(output, 'evaluation', 'final.json'), '{"eval": {"loss": {"value": 0.31}}}');
    await mkdir(join(claims, 'models'), { recursive: true });
    const context = { now: () => 0, say: () => undefined, claims };
    const { uri, digest } = await publish({
      outputDir: output,
      inputDir: join(output, 'input'),
      store: { uri: 'pvc://models' },
      modelName: 'flights',
      context,
    });
    const order = {
      ...orderOf(claims, specOf('x', digest), [{ name: 'loss', reported: 'eval.loss', max: '0.4' }]),
      artifact: { uri },
    };
    const { gates } = await verify(order);
    expect(gates[0]).toMatchObject({ verdict: 'Pass', value: 0.31 });
    expect(gates[0]?.message).toContain('evaluation/final.json: reported by the training, not computed');
  });
});

import { generateKeyPairSync } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pythonOf } from '@slipway/hack/local-cluster/binaries/pythonEnvironment.ts';
import { CommandError, run } from '@slipway/hack/local-cluster/command.ts';
import { progress } from '@slipway/hack/local-cluster/progress.ts';
import { hashArtifact } from '@slipway/runtime/artifact/hash.ts';
import { readPrivateKey } from '@slipway/runtime/artifact/signing/keys.ts';
import { claimOf } from '@slipway/runtime/artifact/signing/sign.ts';
import { verifySignature } from '@slipway/runtime/artifact/signing/verifySignature.ts';
import { temporaryFolder } from '@slipway/runtime/test/temporaryFolder.ts';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';

let python: string;
let artifact: string;
let keys: string;
const [privateKey, publicKey] = [() => join(keys, 'private.pem'), () => join(keys, 'public.pem')];

const modelSigning = (...args: string[]): Promise<string> =>
  run(python, ['-m', 'model_signing', ...args], { environment: { PYTHONDONTWRITEBYTECODE: '1' } });
const verifiedThere = (signature: string) =>
  modelSigning('verify', 'key', artifact, '--signature', signature, '--public_key', publicKey()).then(
    () => 'verified',
    (error: unknown) => {
      if (error instanceof CommandError) return `${error.stdout}${error.stderr}`;
      throw error;
    },
  );

beforeAll(async () => {
  python = await pythonOf(join(import.meta.dirname, 'model-signing.txt'), 'model-signing', progress());
});
beforeEach(async () => {
  [artifact, keys] = await Promise.all([temporaryFolder('signed'), temporaryFolder('keys')]);
  await mkdir(join(artifact, 'evaluation'));
  await writeFile(join(artifact, 'model.onnx'), 'weights');
  await writeFile(join(artifact, 'evaluation', 'metrics.json'), '{}');
  await writeFile(join(artifact, 'manifest.json'), '{"not": "signed"}');
});

describe.each(['P-256', 'P-384', 'P-521'])(
  'the reference implementation of OpenSSF model signing, on %s',
  (namedCurve) => {
    beforeEach(async () => {
      const pair = generateKeyPairSync('ec', { namedCurve });
      await writeFile(privateKey(), pair.privateKey.export({ type: 'pkcs8', format: 'pem' }));
      await writeFile(publicKey(), pair.publicKey.export({ type: 'spki', format: 'pem' }));
    });

    it('verifies what we signed, and not once a file has changed', async () => {
      const { entries } = await hashArtifact(artifact);
      const claim = claimOf('flights', entries, await readPrivateKey(privateKey()));
      await writeFile(join(artifact, 'claims.jsonl'), `${claim}\n`);
      await writeFile(join(keys, 'claim.json'), claim);
      expect(await verifiedThere(join(keys, 'claim.json'))).toBe('verified');
      await writeFile(join(artifact, 'model.onnx'), 'Weights');
      expect(await verifiedThere(join(keys, 'claim.json'))).toContain('Hash mismatch');
    });

    it('signs what we verify, and not once a file has changed', async () => {
      await modelSigning(
        'sign',
        'key',
        artifact,
        '--signature',
        join(artifact, 'model.sig'),
        '--private_key',
        privateKey(),
        '--ignore-paths',
        join(artifact, 'manifest.json'),
      );
      const verified = async () => verifySignature(artifact, (await hashArtifact(artifact)).entries, publicKey());
      expect(await verified()).toMatch(/^sha256:[0-9a-f]{64}$/);
      await writeFile(join(artifact, 'model.onnx'), 'Weights');
      await expect(verified()).rejects.toMatchObject({ reason: 'SignatureMismatch' });
    });
  },
);

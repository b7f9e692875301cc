import { generateKeyPairSync } from 'node:crypto';
import { appendFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { modelSettingsSchema } from '@slipway/crds/serving';
import { expect, test } from 'vitest';
import type { Failure } from '../../artifact/failure.ts';
import { hashArtifact } from '../../artifact/hash.ts';
import { readPrivateKey } from '../../artifact/signing/keys.ts';
import { claimOf } from '../../artifact/signing/sign.ts';
import { affine, modelArtifact } from '../../test/artifacts.ts';
import { temporaryFolder } from '../../test/temporaryFolder.ts';
import type { Observation } from '../observe/observation.ts';
import { openModel } from './openModel.ts';

test('a server with a key loads what the key signed, and says why it loads nothing else', async () => {
  const keys = await temporaryFolder('keys');
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const [secret, key] = [join(keys, 'private'), join(keys, 'public')];
  await writeFile(secret, privateKey.export({ type: 'pkcs8', format: 'pem' }));
  await writeFile(key, publicKey.export({ type: 'spki', format: 'pem' }));
  const { directory, digest } = await modelArtifact(affine);
  const load = async () => {
    const said: object[] = [];
    const { close } = await openModel(
      { name: 'affine', version: '1.0.0', path: directory, bare: false },
      {
        settings: modelSettingsSchema.parse({ engine: { threads: 1 } }),
        cores: 1,
        digest,
        verificationKeyFile: key,
        observe: () => ({ close: async () => undefined }) as Observation,
        random: Math.random,
        epoch: () => 'e1',
        elapsed: () => performance.now(),
        now: () => new Date(0),
        log: { info: (facts, sentence) => said.push({ ...facts, sentence }), warn: () => undefined },
      },
    );
    await close();
    return said;
  };
  const reason = () =>
    load().then(
      () => 'loaded',
      (error: unknown) => (error as Failure).reason,
    );
  expect(await reason()).toBe('SignatureMissing');
  const { entries } = await hashArtifact(directory);
  const claims = join(directory, 'claims.jsonl');
  await writeFile(claims, `${claimOf('affine', entries.slice(1), await readPrivateKey(secret))}\n`);
  expect(await reason()).toBe('SignatureMismatch');
  await appendFile(claims, `${claimOf('affine', entries, await readPrivateKey(secret))}\n`);
  expect(await load()).toContainEqual(
    expect.objectContaining({ sentence: 'signature verified', key: expect.stringMatching(/^sha256:/) }),
  );
});

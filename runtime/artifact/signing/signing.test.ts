import { createPrivateKey, generateKeyPairSync } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ManifestEntry } from '@slipway/crds';
import { beforeAll, describe, expect, test } from 'vitest';
import { temporaryFolder } from '../../test/temporaryFolder.ts';
import { Failure } from '../failure.ts';
import { hashArtifact } from '../hash.ts';
import { fingerprint, publicHalf, readPrivateKey } from './keys.ts';
import { claimOf } from './sign.ts';
import { verifyClaims, verifySignature } from './verifySignature.ts';

const pairOf = (namedCurve: string) =>
  generateKeyPairSync('ec', {
    namedCurve,
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
    publicKeyEncoding: { type: 'spki', format: 'pem' },
  });

const ENTRIES: readonly ManifestEntry[] = [
  { path: 'model.onnx', size: 7, sha256: '11'.repeat(32) },
  { path: 'evaluation/metrics.json', size: 2, sha256: '22'.repeat(32) },
];

let folder: string;
beforeAll(async () => {
  folder = await temporaryFolder('keys');
});

async function keyOf(curve = 'P-256') {
  const path = join(folder, `${curve}-${Math.random()}`);
  await writeFile(path, pairOf(curve).privateKey);
  return readPrivateKey(path);
}
const failureOf = (work: () => void): string => {
  try {
    work();
    return 'verified';
  } catch (error) {
    return error instanceof Failure ? `${error.reason}: ${error.message}` : String(error);
  }
};

describe('kserve/kserve#5789: a signed artifact', () => {
  test.each(['P-256', 'P-384', 'P-521'])('verifies with the public half of its key on %s', async (curve) => {
    const key = await keyOf(curve);
    const claim = claimOf('flights', ENTRIES, key);
    expect(() => verifyClaims(['{"some":"provenance"}', claim], ENTRIES, publicHalf(key))).not.toThrow();
  });

  test('is a sigstore bundle v0.3 with a DSSE envelope of an in-toto statement', async () => {
    const key = await keyOf();
    const bundle = JSON.parse(claimOf('flights', ENTRIES, key));
    expect(bundle).toMatchObject({
      mediaType: 'application/vnd.dev.sigstore.bundle.v0.3+json',
      verificationMaterial: { publicKey: { hint: key.hint } },
      dsseEnvelope: { payloadType: 'application/vnd.in-toto+json' },
    });
    const statement = JSON.parse(Buffer.from(bundle.dsseEnvelope.payload, 'base64').toString());
    expect(statement.predicateType).toBe('https://model_signing/signature/v1.0');
    expect(statement.predicate.resources.map(({ name }: { name: string }) => name)).toEqual([
      'evaluation/metrics.json',
      'model.onnx',
    ]);
  });

  const [model, metrics] = ENTRIES as [ManifestEntry, ManifestEntry];
  test.each<[string, readonly ManifestEntry[], string]>([
    ['a changed file', [{ ...model, sha256: '33'.repeat(32) }, metrics], 'model.onnx has sha256 3333'],
    ['a file more', [...ENTRIES, { ...model, path: 'extra.bin' }], 'extra.bin was not signed'],
    ['a file less', [model], 'evaluation/metrics.json was signed, and is not there'],
  ])('is refused with %s', async (_what, entries, sentence) => {
    const key = await keyOf();
    const claim = claimOf('flights', ENTRIES, key);
    expect(failureOf(() => verifyClaims([claim], entries, publicHalf(key)))).toMatch(/^SignatureMismatch: /);
    expect(failureOf(() => verifyClaims([claim], entries, publicHalf(key)))).toContain(sentence);
  });

  test('is refused with the key of somebody else, and when its statement was changed', async () => {
    const [key, other] = [await keyOf(), await keyOf()];
    const claim = claimOf('flights', ENTRIES, key);
    expect(failureOf(() => verifyClaims([claim], ENTRIES, publicHalf(other)))).toBe(
      'SignatureMismatch: None of the 1 signatures of the artifact is by the key of signedBy.',
    );
    const bundle = JSON.parse(claim);
    bundle.dsseEnvelope.payload = JSON.parse(claimOf('flights', [model], other)).dsseEnvelope.payload;
    expect(failureOf(() => verifyClaims([JSON.stringify(bundle)], [model], publicHalf(key)))).toMatch(
      /^SignatureMismatch/,
    );
  });

  test('whose signatures are none at all is said to be unsigned', async () => {
    expect(failureOf(() => verifyClaims([], ENTRIES, { ...publicHalf({ ...UNUSED }) }))).toMatch(/^SignatureMissing/);
  });
});

const UNUSED = { key: createPrivateKey(pairOf('P-256').privateKey), hash: 'sha256', hint: '' };

test('sigstore/model-transparency#587: claims.jsonl beside the files is found, and is not part of the digest', async () => {
  const { privateKey, publicKey } = pairOf('P-256');
  const artifact = await temporaryFolder('signed');
  await writeFile(join(artifact, 'model.onnx'), 'weights');
  await writeFile(join(folder, 'public.pem'), publicKey);
  const { digest, entries } = await hashArtifact(artifact);
  const verified = () => verifySignature(artifact, entries, join(folder, 'public.pem'));
  await expect(verified()).rejects.toMatchObject({ reason: 'SignatureMissing' });
  await expect(verifySignature(artifact, entries, join(folder, 'cosign.pub'))).rejects.toMatchObject({
    reason: 'ConfigurationInvalid',
    message: 'The ConfigMap of signedBy is missing, or has no cosign.pub.',
  });
  const key = { ...UNUSED, key: createPrivateKey(privateKey) };
  await writeFile(join(artifact, 'claims.jsonl'), `${claimOf('flights', entries, key)}\n`);
  expect((await hashArtifact(artifact)).digest).toBe(digest);
  expect(await verified()).toBe(fingerprint(publicHalf(key)));
});

describe('a signing key', () => {
  const inSecret = async (entries: Readonly<Record<string, string>>) => {
    const secret = join(folder, String(Math.random()));
    await mkdir(secret);
    for (const [name, text] of Object.entries(entries)) await writeFile(join(secret, name), text);
    return readPrivateKey(secret).then(
      ({ hash }) => hash,
      (error: unknown) => (error as Failure).message,
    );
  };
  const rsa = generateKeyPairSync('rsa', {
    modulusLength: 2048,
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
    publicKeyEncoding: { type: 'spki', format: 'pem' },
  });
  const locked = createPrivateKey(pairOf('P-256').privateKey).export({
    type: 'pkcs8',
    format: 'pem',
    cipher: 'aes-256-cbc',
    passphrase: 'open sesame',
  });

  test.each<[string, Readonly<Record<string, string>>, string]>([
    ['cosign.key', { 'cosign.key': pairOf('P-384').privateKey }, 'sha384'],
    ['tls.key', { 'tls.key': pairOf('P-256').privateKey }, 'sha256'],
    ['a key with a passphrase', { 'cosign.key': String(locked), 'cosign.password': 'open sesame' }, 'sha256'],
    ['neither', { 'other.key': '' }, 'The Secret of the signing key has neither cosign.key nor tls.key.'],
    ['a key of RSA', { 'tls.key': rsa.privateKey }, 'The key must be ECDSA on P-256, P-384 or P-521'],
    ['a key that is none', { 'tls.key': 'nonsense' }, 'The signing key is no private key in PEM'],
    [
      'one that cosign encrypted',
      { 'cosign.key': '-----BEGIN ENCRYPTED SIGSTORE PRIVATE KEY-----' },
      'The signing key is encrypted in a format of cosign',
    ],
  ])('of a Secret with %s', async (_what, entries, outcome) => expect(await inSecret(entries)).toContain(outcome));
});

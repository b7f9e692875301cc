import { createHash, createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { Failure, sentenceOf } from '../failure.ts';

/** Curve of a key → hash that is signed with it, as the sigstore protobuf specs pair them. */
const HASHES: Readonly<Record<string, string>> = { prime256v1: 'sha256', secp384r1: 'sha384', secp521r1: 'sha512' };

export interface SigningKey {
  readonly key: KeyObject;
  readonly hash: string;
  /** How a bundle names the key: sha256 of its public half in PEM, as the reference implementation does. */
  readonly hint: string;
}

/** Entries of a Secret that may hold a private key, in the order they are looked for. */
const PRIVATE_ENTRIES = ['cosign.key', 'tls.key'];

/**
 * Reads a private key: a PEM file, or a mounted Secret with cosign.key or tls.key, its passphrase in cosign.password.
 * Throws Failure ConfigurationInvalid for one that is none, or of another kind than ECDSA on P-256, P-384 or P-521.
 */
export async function readPrivateKey(path: string): Promise<SigningKey> {
  const { pem, passphrase } = await privateText(path);
  if (/ENCRYPTED (SIGSTORE|COSIGN) PRIVATE KEY/.test(pem)) {
    throw new Failure(
      'ConfigurationInvalid',
      'The signing key is encrypted in a format of cosign: convert it, or make one with openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256.',
    );
  }
  try {
    return signingKey(createPrivateKey(passphrase === undefined ? pem : { key: pem, passphrase }));
  } catch (cause) {
    if (cause instanceof Failure) throw cause;
    throw new Failure('ConfigurationInvalid', `The signing key is no private key in PEM: ${sentenceOf(cause)}.`, {
      cause,
    });
  }
}

/** Reads a public key in PEM. Throws Failure ConfigurationInvalid. */
export async function readPublicKey(path: string): Promise<SigningKey> {
  if (!(await stat(path).catch(() => undefined))) {
    throw new Failure('ConfigurationInvalid', `The ConfigMap of signedBy is missing, or has no ${basename(path)}.`);
  }
  try {
    return signingKey(createPublicKey(await readFile(path)));
  } catch (cause) {
    if (cause instanceof Failure) throw cause;
    throw new Failure('ConfigurationInvalid', `The public key of signedBy is none in PEM: ${sentenceOf(cause)}.`, {
      cause,
    });
  }
}

/** The public half of a private key. */
export const publicHalf = ({ key }: SigningKey): SigningKey => signingKey(createPublicKey(key));

/** sha256 of a public key in DER. */
export const fingerprint = ({ key }: SigningKey): string =>
  `sha256:${createHash('sha256')
    .update(key.export({ type: 'spki', format: 'der' }))
    .digest('hex')}`;

function signingKey(key: KeyObject): SigningKey {
  const hash = HASHES[key.asymmetricKeyDetails?.namedCurve ?? ''];
  if (key.asymmetricKeyType !== 'ec' || hash === undefined) {
    throw new Failure(
      'ConfigurationInvalid',
      'The key must be ECDSA on P-256, P-384 or P-521, which OpenSSF model signing knows.',
    );
  }
  const half = key.type === 'private' ? createPublicKey(key) : key;
  const hint = createHash('sha256')
    .update(half.export({ type: 'spki', format: 'pem' }))
    .digest('hex');
  return { key, hash, hint };
}

async function privateText(path: string): Promise<{ readonly pem: string; readonly passphrase: string | undefined }> {
  const isFolder = await stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );
  const names = isFolder ? PRIVATE_ENTRIES.map((name) => join(path, name)) : [path];
  const password = isFolder ? await readFile(join(path, 'cosign.password'), 'utf8').catch(() => undefined) : undefined;
  for (const name of names) {
    const pem = await readFile(name, 'utf8').catch(() => undefined);
    if (pem !== undefined) return { pem, passphrase: password === '' ? undefined : password };
  }
  throw new Failure(
    'ConfigurationInvalid',
    `The Secret of the signing key has neither ${PRIVATE_ENTRIES.join(' nor ')}.`,
  );
}

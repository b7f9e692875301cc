import { verify } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Bundle, bundleFromJSON, isBundleWithDsseEnvelope } from '@sigstore/bundle';
import { dsse } from '@sigstore/core';
import type { ManifestEntry } from '@slipway/crds';
import { FILES } from '@slipway/crds/contract';
import { Failure } from '../failure.ts';
import { jsonOf } from '../json.ts';
import { fingerprint, readPublicKey, type SigningKey } from './keys.ts';
import { holdAgainst, PAYLOAD_TYPE, SIGNATURE_FILE } from './statement.ts';

/**
 * Verifies the signature of an artifact in a local folder, whose files were hashed. Returns the fingerprint of the key.
 * Throws Failure SignatureMissing where nothing is signed, SignatureMismatch where nothing is by this key or what it
 * signed is not what lies there, ConfigurationInvalid for a key that is none.
 */
export async function verifySignature(
  dir: string,
  entries: readonly ManifestEntry[],
  keyFile: string,
): Promise<string> {
  const key = await readPublicKey(keyFile);
  const texts = await Promise.all(
    [FILES.claims, SIGNATURE_FILE].map((name) => readFile(join(dir, name), 'utf8').catch(() => '')),
  );
  verifyClaims([...linesOf(texts[0] ?? ''), ...(texts[1] ? [texts[1]] : [])], entries, key);
  return fingerprint(key);
}

export const linesOf = (claims: string): readonly string[] => claims.split('\n').filter((line) => line.trim() !== '');

/** The same of claims that are at hand. Other statements may stand among them, such as of provenance: they are passed over. */
export function verifyClaims(claims: readonly string[], entries: readonly ManifestEntry[], key: SigningKey): void {
  if (claims.length === 0) {
    throw new Failure(
      'SignatureMissing',
      `The artifact is not signed: it has neither ${FILES.claims} nor ${SIGNATURE_FILE}.`,
    );
  }
  const payloads = claims.map((claim) => payloadSignedBy(claim, key)).filter((payload) => payload !== undefined);
  const failures: unknown[] = [];
  for (const payload of payloads) {
    try {
      if (holdAgainst(payload, entries) !== undefined) return;
    } catch (error) {
      failures.push(error);
    }
  }
  if (failures.length > 0) throw failures[0];
  throw new Failure(
    'SignatureMismatch',
    `None of the ${claims.length} signatures of the artifact is by the key of signedBy.`,
  );
}

/** What a bundle says, if the key signed it. */
function payloadSignedBy(claim: string, { key, hash }: SigningKey): Buffer | undefined {
  const bundle = bundleOf(claim);
  if (bundle === undefined || !isBundleWithDsseEnvelope(bundle)) return undefined;
  const { payload, payloadType, signatures } = bundle.content.dsseEnvelope;
  if (payloadType !== PAYLOAD_TYPE) return undefined;
  const signed = dsse.preAuthEncoding(payloadType, payload);
  return signatures.some(({ sig }) => verify(hash, signed, key, sig)) ? payload : undefined;
}

function bundleOf(claim: string): Bundle | undefined {
  try {
    return bundleFromJSON(jsonOf(claim));
  } catch {
    return undefined;
  }
}

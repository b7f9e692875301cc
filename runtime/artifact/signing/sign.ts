import { sign } from 'node:crypto';
import { bundleToJSON, toDSSEBundle } from '@sigstore/bundle';
import { dsse } from '@sigstore/core';
import type { ManifestEntry } from '@slipway/crds';
import type { SigningKey } from './keys.ts';
import { PAYLOAD_TYPE, statementOf } from './statement.ts';

/**
 * Signs the files of an artifact: a line of claims.jsonl (sigstore/model-transparency#587), which is a sigstore bundle
 * v0.3 around a DSSE envelope. The same files signed twice are two lines: the signature of ECDSA is random.
 */
export function claimOf(name: string, entries: readonly ManifestEntry[], { key, hash, hint }: SigningKey): string {
  const artifact = statementOf(name, entries);
  const signature = sign(hash, dsse.preAuthEncoding(PAYLOAD_TYPE, artifact), key);
  return JSON.stringify(bundleToJSON(toDSSEBundle({ artifact, artifactType: PAYLOAD_TYPE, signature, keyHint: hint })));
}

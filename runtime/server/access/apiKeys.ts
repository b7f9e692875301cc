import { hash, timingSafeEqual } from 'node:crypto';
import { Failure } from '../../artifact/failure.ts';

/** A key that callers may ask with. Only its hash is ever at rest; the name is what limits and logs go by. */
export interface ApiKey {
  readonly name: string;
  /** SHA-256 of the key, 32 bytes. */
  readonly digest: Buffer;
}

const LINE = /^([A-Za-z0-9][A-Za-z0-9._-]{0,62})\s+sha256:([0-9a-fA-F]{64})$/;

/**
 * Reads a keys file: a line is "<name> sha256:<hex>", empty, or a comment that starts with #. A name may stand on
 * several lines, which is how a key is rotated: add the new one, move the callers, take the old one out. Throws
 * Failure ConfigurationInvalid with the line and what it must be; never with the line's text, which may be a secret.
 */
export function parseKeys(text: string): readonly ApiKey[] {
  const keys = text.split('\n').flatMap((line, index) => {
    const content = line.trim();
    return content === '' || content.startsWith('#') ? [] : [keyOf(content, index + 1)];
  });
  if (keys.length === 0) {
    throw new Failure(
      'ConfigurationInvalid',
      'The keys file has no keys; write a line "<name> sha256:<hex>" for each.',
    );
  }
  const owners = new Map<string, string>();
  for (const { name, digest } of keys) {
    const hex = digest.toString('hex');
    const owner = owners.get(hex) ?? name;
    owners.set(hex, owner);
    if (owner === name) continue;
    throw new Failure('ConfigurationInvalid', `Keys "${owner}" and "${name}" of the keys file are the same key.`);
  }
  return keys;
}

function keyOf(content: string, line: number): ApiKey {
  const found = LINE.exec(content);
  if (found) return { name: found[1] as string, digest: Buffer.from(found[2] as string, 'hex') };
  throw new Failure(
    'ConfigurationInvalid',
    `Line ${line} of the keys file must be "<name> sha256:<hex>": letters, digits, ".", "_" and "-", and 64 hexadecimal digits.`,
  );
}

/** Scheme and key of an Authorization header; the scheme's case is free (RFC 9110 §11.1). */
const BEARER = /^bearer +(\S+)$/i;
/** Longer ones are refused unhashed: nobody may buy CPU time with a header. */
const LONGEST_HEADER = 1024;
/** Ways of writing a valid header that are remembered; one a key in practice. */
const MOST_REMEMBERED = 4096;

/**
 * Says whose key an Authorization header carries. Every key is compared with, in a time that tells nothing about where
 * they differ. Headers that were right once are remembered, so that a request costs one lookup and no hash; what is
 * remembered goes with the keys it was found among. Wrong headers are not: they would be memory for the asking.
 */
export class KeyRing {
  #keys: readonly ApiKey[];
  readonly #verified = new Map<string, string>();

  constructor(keys: readonly ApiKey[]) {
    this.#keys = keys;
  }

  replace(keys: readonly ApiKey[]): void {
    this.#keys = keys;
    this.#verified.clear();
  }

  /** Name of the key, or undefined when there is none or it is wrong. */
  ownerOf(authorization: string | undefined): string | undefined {
    if (authorization === undefined) return undefined;
    return this.#verified.get(authorization) ?? this.#verify(authorization);
  }

  #verify(authorization: string): string | undefined {
    const secret = authorization.length <= LONGEST_HEADER ? BEARER.exec(authorization)?.[1] : undefined;
    if (secret === undefined) return undefined;
    const digest = hash('sha256', secret, 'buffer');
    let owner: string | undefined;
    for (const key of this.#keys) if (timingSafeEqual(key.digest, digest)) owner = key.name;
    if (owner !== undefined && this.#verified.size < MOST_REMEMBERED) this.#verified.set(authorization, owner);
    return owner;
  }
}

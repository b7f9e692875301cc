import { createHmac, type Hmac, randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { Failure, sentenceOf } from '../../artifact/failure.ts';
import type { TensorValue } from '../tensor.ts';

const KEY_BYTES = 32;
const HASH_DIGITS = 16;

/**
 * Key of the hashes that stand for inputs in logs and examples. A random one by default: hashes can then be compared
 * within one process, and nobody can find the value by hashing guesses. From a file, all pods write the same hashes,
 * and whoever reads the file can test guesses. Throws Failure ConfigurationInvalid.
 */
export function hashKey(file: string | undefined): Uint8Array {
  if (file === undefined) return randomBytes(KEY_BYTES);
  const key = readKey(file);
  if (key.length >= KEY_BYTES) return key;
  throw new Failure('ConfigurationInvalid', `logging.hashKeyFile ${file} must hold at least ${KEY_BYTES} bytes.`);
}

function readKey(file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (error) {
    throw new Failure('ConfigurationInvalid', `logging.hashKeyFile can't be read: ${sentenceOf(error)}.`);
  }
}

const digitsOf = (hmac: Hmac): string => hmac.digest('hex').slice(0, HASH_DIGITS);

/** HMAC-SHA256 of one value, 64 bits as hex. */
export const hashOf = (key: Uint8Array, value: string): string => digitsOf(createHmac('sha256', key).update(value));

/** The same of one row of all inputs. */
export function hashOfInputs(key: Uint8Array, inputs: readonly TensorValue[], row: number, rows: number): string {
  const hmac = createHmac('sha256', key);
  for (const { elements } of inputs) {
    const size = elements.length / rows;
    const [from, to] = [row * size, (row + 1) * size];
    if (Array.isArray(elements)) hmac.update(JSON.stringify(elements.slice(from, to)));
    else {
      const own = elements.slice(from, to);
      hmac.update(new Uint8Array(own.buffer, own.byteOffset, own.byteLength));
    }
  }
  return digitsOf(hmac);
}

import type { NonFinite } from '@slipway/crds/serving';
import { EngineError } from '../../engine/engine.ts';
import type { TensorValue } from '../../tensor.ts';
import { floatsOfBfloat } from './datatypes.ts';
import { MOST_FLOAT_BYTES, writeFloat } from './writeFloats.ts';

const COMMA = 44;
/** Room for the numbers of one answer as bytes; larger answers get their own. */
const SCRATCH = Buffer.allocUnsafeSlow(64 * 1024);

/** The shortest text that reads as this number: of FP32 precision where it is one. */
export function shortest(value: number): string {
  if (!Number.isFinite(value) || Math.fround(value) !== value) return String(value);
  return SCRATCH.toString('latin1', 0, writeFloat(SCRATCH, 0, value));
}

type Floats = Float16Array | Float32Array | Float64Array;

/** The elements as floats where they are some, else undefined. */
export function floatsOf({ datatype, elements }: TensorValue): Floats | undefined {
  if (elements instanceof Float32Array || elements instanceof Float64Array) return elements;
  if (datatype === 'BF16') return floatsOfBfloat(elements as Uint16Array);
  if (datatype !== 'FP16' || Array.isArray(elements)) return undefined;
  return new Float16Array(elements.buffer, elements.byteOffset, elements.length);
}

/** How many elements are NaN or infinite. */
export function nonFiniteIn(tensor: TensorValue): number {
  const floats = floatsOf(tensor);
  let count = 0;
  if (floats) for (let i = 0; i < floats.length; i++) if (!Number.isFinite(floats[i])) count++;
  return count;
}

/**
 * The elements as the inside of a JSON list: text, or bytes where there are many. 64-bit integers keep all their digits.
 * `policy` says what becomes of floats that are not finite, which JSON has no word for; Error throws EngineError
 * ModelFailed with the first.
 */
export function writeElements(tensor: TensorValue, policy: NonFinite): string | Buffer {
  const { datatype, elements } = tensor;
  if (Array.isArray(elements)) return JSON.stringify(elements).slice(1, -1);
  const floats = floatsOf(tensor);
  if (!floats) return datatype === 'BOOL' ? truths(elements as Uint8Array) : elements.join(',');
  if (floats instanceof Float64Array) return doubles(floats, tensor, policy);
  const most = floats.length * (MOST_FLOAT_BYTES + 1);
  const target = most <= SCRATCH.length ? SCRATCH : Buffer.allocUnsafeSlow(most);
  const end = singles(floats, target, tensor, policy);
  return target === SCRATCH ? SCRATCH.toString('latin1', 0, end) : target.subarray(0, end);
}

function singles(floats: Float16Array | Float32Array, target: Buffer, tensor: TensorValue, policy: NonFinite): number {
  let p = 0;
  for (let i = 0; i < floats.length; i++) {
    const value = floats[i] as number;
    if (i > 0) target[p++] = COMMA;
    if (Number.isFinite(value)) p = writeFloat(target, p, value);
    else p += target.write(wordFor(value, i, tensor, policy), p, 'latin1');
  }
  return p;
}

function doubles(floats: Float64Array, tensor: TensorValue, policy: NonFinite): string {
  if (floats.every(Number.isFinite)) return floats.join(',');
  return Array.from(floats, (value, i) =>
    Number.isFinite(value) ? String(value) : wordFor(value, i, tensor, policy),
  ).join(',');
}

function wordFor(value: number, index: number, { name }: TensorValue, policy: NonFinite): string {
  if (policy === 'Null') return 'null';
  if (policy === 'String') return `"${value}"`;
  throw new EngineError('ModelFailed', `element ${index} of output "${name}" is ${value}, which JSON cannot carry`);
}

const truths = (elements: Uint8Array): string => Array.from(elements, (element) => element !== 0).join(',');

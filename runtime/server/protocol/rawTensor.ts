import { badRequest } from '../requestError.ts';
import { bytesPerElement, type Datatype, type NumericElements, type TensorValue } from '../tensor.ts';
import { refusal } from './tensorHeader.ts';

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

const bytesOf = ({ buffer, byteOffset, byteLength }: NumericElements): Uint8Array =>
  new Uint8Array(buffer, byteOffset, byteLength);

/**
 * Fewest bytes that so many elements take on the wire: all of them where the datatype has a size of its own. For
 * holding a shape against what was sent before room is leased for it.
 */
export const leastRawSize = (datatype: Datatype, elements: number): number =>
  (bytesPerElement(datatype) ?? LENGTH_BYTES) * elements;

const LENGTH_BYTES = 4;

/**
 * Reads a tensor as it lies on the wire (packed, little-endian, row-major; BYTES: each a u32 length and that much UTF-8)
 * straight into leased room. Throws RequestError 400: not exactly as many bytes as the shape needs, or not of the datatype.
 */
export function readRaw(bytes: Uint8Array, into: TensorValue): void {
  const { name, elements } = into;
  if (Array.isArray(elements)) readTexts(bytes, name, elements);
  else readNumbers(bytes, into, elements);
}

function readNumbers(bytes: Uint8Array, { name, datatype, shape }: TensorValue, elements: NumericElements): void {
  const target = bytesOf(elements);
  if (bytes.length !== target.length) {
    throw refusal(name, `${bytes.length} bytes given, shape [${shape}] of ${datatype} needs ${target.length}.`);
  }
  target.set(bytes);
  if (datatype === 'BOOL') checkBooleans(target, name);
}

function checkBooleans(bytes: Uint8Array, name: string): void {
  const fault = bytes.findIndex((byte) => byte > 1);
  if (fault >= 0) throw refusal(name, `element ${fault} is the byte ${bytes[fault]}, BOOL takes 0 or 1.`);
}

function readTexts(bytes: Uint8Array, name: string, into: string[]): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = 0;
  for (let i = 0; i < into.length; i++) {
    const start = at + LENGTH_BYTES;
    if (start > bytes.length) throw refusal(name, `the bytes end before the length of element ${i}.`);
    at = start + view.getUint32(start - LENGTH_BYTES, true);
    if (at > bytes.length) throw refusal(name, `element ${i} is ${at - start} bytes long, the bytes end before that.`);
    into[i] = textOf(bytes.subarray(start, at), name, i);
  }
  if (at < bytes.length) throw refusal(name, `${bytes.length - at} bytes are left over after ${into.length} elements.`);
}

/** The text of one BYTES element. Throws RequestError 400 where it is not UTF-8: a mended text is another text. */
export function textOf(bytes: Uint8Array, name: string, index: number): string {
  if (bytes.length === 0) return '';
  try {
    return utf8.decode(isShared(bytes) ? bytes.slice() : bytes);
  } catch {
    throw refusal(name, `element ${index} is not UTF-8, BYTES takes text.`);
  }
}

const isShared = ({ buffer }: Uint8Array): boolean => buffer instanceof SharedArrayBuffer;

/** A tensor as it lies on the wire: for numbers a view on its memory, not a copy. */
export function writeRaw({ elements }: TensorValue): Uint8Array {
  return Array.isArray(elements) ? writeTexts(elements) : bytesOf(elements);
}

function writeTexts(texts: readonly string[]): Uint8Array {
  const size = texts.reduce((total, text) => total + LENGTH_BYTES + Buffer.byteLength(text), 0);
  if (size > 0xffff_ffff) throw badRequest('The answer is larger than BYTES can carry.');
  const bytes = Buffer.allocUnsafe(size);
  let at = 0;
  for (const text of texts) {
    const length = bytes.write(text, at + LENGTH_BYTES);
    bytes.writeUInt32LE(length, at);
    at += LENGTH_BYTES + length;
  }
  return bytes;
}

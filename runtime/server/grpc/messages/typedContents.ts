import { textOf } from '../../protocol/rawTensor.ts';
import { badRequest } from '../../requestError.ts';
import type { Datatype, TensorValue } from '../../tensor.ts';
import { BYTES, FIXED32, FIXED64, VARINT, varintSize, WireCursor, writeVarint } from './wire.ts';

/** A repeated field of InferTensorContents: its number and what an element is on the wire. */
interface ContentsField {
  readonly name: string;
  readonly number: number;
  readonly wireType: typeof VARINT | typeof FIXED32 | typeof FIXED64 | typeof BYTES;
}

const contentsField = (name: string, number: number, wireType: ContentsField['wireType']) =>
  ({ name, number, wireType }) satisfies ContentsField;

const BOOLS = contentsField('bool_contents', 1, VARINT);
const INTS = contentsField('int_contents', 2, VARINT);
const INT64S = contentsField('int64_contents', 3, VARINT);
const UINTS = contentsField('uint_contents', 4, VARINT);
const UINT64S = contentsField('uint64_contents', 5, VARINT);
const FP32S = contentsField('fp32_contents', 6, FIXED32);
const FP64S = contentsField('fp64_contents', 7, FIXED64);
const TEXTS = contentsField('bytes_contents', 8, BYTES);
const ALL = [BOOLS, INTS, INT64S, UINTS, UINT64S, FP32S, FP64S, TEXTS];

/** The small integers share the field of the large; FP16 and BF16 have none, for protocol buffers have no such number. */
const FIELD_OF: Readonly<Record<Datatype, ContentsField | undefined>> = {
  BOOL: BOOLS,
  INT8: INTS,
  INT16: INTS,
  INT32: INTS,
  INT64: INT64S,
  UINT8: UINTS,
  UINT16: UINTS,
  UINT32: UINTS,
  UINT64: UINT64S,
  FP16: undefined,
  BF16: undefined,
  FP32: FP32S,
  FP64: FP64S,
  BYTES: TEXTS,
};

/** Whether answers of this datatype can be typed at all. */
export const hasTypedContents = (datatype: Datatype): boolean => FIELD_OF[datatype] !== undefined;

const RANGE: Readonly<Partial<Record<Datatype, readonly [number, number]>>> = {
  INT8: [-128, 127],
  INT16: [-32_768, 32_767],
  INT32: [-2_147_483_648, 2_147_483_647],
  UINT8: [0, 255],
  UINT16: [0, 65_535],
  UINT32: [0, 4_294_967_295],
};

const fault = (name: string, sentence: string) => badRequest(`Input "${name}": ${sentence}`);

/**
 * Reads InferTensorContents (ranges of the message, flat) straight into leased room. Throws RequestError 400: another
 * field than the datatype's, not as many elements as the shape means, a number that the datatype can't hold.
 */
export function readContents(bytes: Uint8Array, ranges: readonly number[], into: TensorValue): void {
  const wanted = FIELD_OF[into.datatype];
  if (!wanted) throw fault(into.name, `${into.datatype} has no typed contents; send it in raw_input_contents.`);
  let count = 0;
  for (let i = 0; i < ranges.length; i += 2) {
    const cursor = new WireCursor(bytes, ranges[i] as number, ranges[i + 1] as number);
    while (cursor.at < cursor.end) count = readField(cursor, wanted, into, count);
  }
  const needed = into.elements.length;
  if (count === needed) return;
  const sent = count > needed ? 'more' : `${count}`;
  throw fault(into.name, `${sent} elements in ${wanted.name}, shape [${into.shape}] needs ${needed}.`);
}

/** One field of the contents; answers how many elements there are now. */
function readField(cursor: WireCursor, wanted: ContentsField, into: TensorValue, count: number): number {
  const tag = cursor.varint();
  const field = ALL.find(({ number }) => number === Math.floor(tag / 8));
  if (!field) {
    cursor.skip(tag);
    return count;
  }
  const packed = (tag & 7) === BYTES && field.wireType !== BYTES;
  if (!packed && (tag & 7) !== field.wireType) throw fault(into.name, `${field.name} is not encoded as its elements.`);
  if (field !== wanted) return refuseOther(cursor, tag, field, wanted, into, count);
  if (!packed) return readElement(cursor, into, count);
  const outer = cursor.end;
  cursor.end = cursor.lengthEnd();
  let next = count;
  while (cursor.at < cursor.end && next <= into.elements.length) next = readElement(cursor, into, next);
  cursor.at = cursor.end;
  cursor.end = outer;
  return next;
}

/** An empty packed field says nothing, and some senders write it. */
function refuseOther(
  cursor: WireCursor,
  tag: number,
  field: ContentsField,
  wanted: ContentsField,
  into: TensorValue,
  count: number,
): number {
  const start = cursor.at;
  cursor.skip(tag);
  if (field.wireType !== BYTES && cursor.at === start + 1 && cursor.bytes[start] === 0) return count;
  throw fault(into.name, `${field.name} given, ${into.datatype} belongs in ${wanted.name}.`);
}

/** Reads one element; one that is beyond the room is counted and not kept. */
function readElement(cursor: WireCursor, into: TensorValue, index: number): number {
  const { elements, datatype } = into;
  if (index >= elements.length) {
    cursor.at = cursor.end;
    return index + 1;
  }
  if (Array.isArray(elements)) elements[index] = readBytesElement(cursor, into.name, index);
  else if (elements instanceof BigInt64Array || elements instanceof BigUint64Array) elements[index] = cursor.varint64();
  else elements[index] = readNumber(cursor, datatype, into.name, index);
  return index + 1;
}

function readBytesElement(cursor: WireCursor, name: string, index: number): string {
  const end = cursor.lengthEnd();
  const text = textOf(cursor.bytes.subarray(cursor.at, end), name, index);
  cursor.at = end;
  return text;
}

function readNumber(cursor: WireCursor, datatype: Datatype, name: string, index: number): number {
  if (datatype === 'FP32') return viewOf(cursor, 4).getFloat32(0, true);
  if (datatype === 'FP64') return viewOf(cursor, 8).getFloat64(0, true);
  if (datatype === 'BOOL') return cursor.varint() === 0 ? 0 : 1;
  const value = cursor.signed();
  const [least, most] = RANGE[datatype] as readonly [number, number];
  if (value >= least && value <= most) return value;
  throw fault(name, `element ${index} is ${value}, ${datatype} takes ${least} to ${most}.`);
}

function viewOf(cursor: WireCursor, size: number): DataView {
  const at = cursor.advance(size);
  return new DataView(cursor.bytes.buffer, cursor.bytes.byteOffset + at, size);
}

/** InferTensorContents of a tensor; FP16 and BF16 have none. */
export function writeContents({ elements, datatype }: TensorValue): Buffer {
  const { number, wireType } = FIELD_OF[datatype] as ContentsField;
  if (Array.isArray(elements)) return writeTexts(number * 8 + BYTES, elements);
  if (wireType !== VARINT) return lengthDelimited(number, bytesOf(elements));
  // Ten bytes are the longest varint: a negative number, or the upper half of the unsigned ones.
  const packed = Buffer.allocUnsafe(elements.length * 10);
  let at = 0;
  for (const element of elements) at = writeInteger(packed, at, element);
  return lengthDelimited(number, packed.subarray(0, at));
}

/** In one piece of memory: ten million empty texts as a Buffer each took 2 GB, and 13 seconds of all callers. */
function writeTexts(tag: number, texts: readonly string[]): Buffer {
  let size = 0;
  for (const text of texts) size += sizeOfText(Buffer.byteLength(text));
  const bytes = Buffer.allocUnsafe(size);
  let at = 0;
  for (const text of texts) {
    const length = Buffer.byteLength(text);
    bytes[at] = tag;
    at = writeVarint(bytes, at + 1, length);
    at += length === 0 ? 0 : bytes.write(text, at);
  }
  return bytes;
}

/** A tag of one byte, the length and the text. */
const sizeOfText = (length: number): number => 1 + varintSize(length) + length;

const bytesOf = ({ buffer, byteOffset, byteLength }: ArrayBufferView): Uint8Array =>
  new Uint8Array(buffer, byteOffset, byteLength);

function writeInteger(into: Buffer, at: number, element: number | bigint): number {
  if (element >= 0 && element <= Number.MAX_SAFE_INTEGER) return writeVarint(into, at, Number(element));
  let rest = BigInt.asUintN(64, BigInt(element));
  let next = at;
  for (; rest > 127n; rest >>= 7n) into[next++] = Number(rest & 127n) | 128;
  into[next++] = Number(rest);
  return next;
}

function lengthDelimited(number: number, content: Uint8Array): Buffer {
  const head = Buffer.allocUnsafe(11);
  const length = writeVarint(head, writeVarint(head, 0, number * 8 + BYTES), content.length);
  return Buffer.concat([head.subarray(0, length), content]);
}

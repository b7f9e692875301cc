import type { Datatype, TensorValue } from '../../tensor.ts';
import type { Range } from './scanIntegers.ts';

const signed = (bits: bigint): Range => ({ min: -(2n ** (bits - 1n)), max: 2n ** (bits - 1n) - 1n });
const unsigned = (bits: bigint): Range => ({ min: 0n, max: 2n ** bits - 1n });

/** The whole numbers of each integer datatype. */
export const RANGES: Readonly<Partial<Record<Datatype, Range>>> = {
  UINT8: unsigned(8n),
  UINT16: unsigned(16n),
  UINT32: unsigned(32n),
  UINT64: unsigned(64n),
  INT8: signed(8n),
  INT16: signed(16n),
  INT32: signed(32n),
  INT64: signed(64n),
};

export const isWide = (datatype: Datatype): boolean => datatype === 'INT64' || datatype === 'UINT64';

/** JSON has no word for these; the spelling is that of the JSON mapping of protocol buffers. */
const NON_FINITE: ReadonlyMap<unknown, number> = new Map([
  ['NaN', Number.NaN],
  ['Infinity', Number.POSITIVE_INFINITY],
  ['-Infinity', Number.NEGATIVE_INFINITY],
]);

/** Completes "FP32 takes …" in a refusal. */
export function takes(datatype: Datatype): string {
  const range = RANGES[datatype];
  if (range) {
    return `a whole number from ${range.min} to ${range.max}`;
  }
  if (datatype === 'BOOL') return 'true or false';
  if (datatype === 'BYTES') return 'a string of whole characters';
  return `a number${LARGEST[datatype] ?? ''}, or "NaN", "Infinity", "-Infinity"`;
}

const LARGEST: Readonly<Partial<Record<Datatype, string>>> = {
  FP16: ' up to 65504',
  BF16: ' up to 3.38e38',
  FP32: ' up to 3.4e38',
};

/** Puts one JSON value into elements[index]; false where the datatype can't hold it. */
export type Put = (value: unknown, index: number) => boolean;

/** The way from JSON values into the elements of a tensor, which may be leased room. */
export function putterOf({ datatype, elements }: TensorValue): Put {
  if (Array.isArray(elements)) return putText(elements);
  const range = RANGES[datatype];
  if (range)
    return isWide(datatype) ? putWide(elements as BigInt64Array, range) : putWhole(elements as Int32Array, range);
  if (datatype === 'BOOL') return putTruth(elements as Uint8Array);
  if (datatype === 'BF16') return putBfloat(elements as Uint16Array);
  if (datatype === 'FP16') {
    return putFloat(new Float16Array(elements.buffer, elements.byteOffset, elements.length));
  }
  return putFloat(elements as Float32Array | Float64Array);
}

/** Half a character (a lone surrogate) has no UTF-8: the model would get another text than was sent. */
const putText =
  (into: string[]): Put =>
  (value, i) => {
    if (typeof value !== 'string' || !value.isWellFormed()) return false;
    into[i] = value;
    return true;
  };

/** A number that becomes infinite is refused: a silent infinity would poison the answer. */
const putFloat =
  (into: Float16Array | Float32Array | Float64Array): Put =>
  (value, i) => {
    if (typeof value !== 'number') return putNonFinite(value, (number) => (into[i] = number));
    into[i] = value;
    return Number.isFinite(into[i]);
  };

function putNonFinite(value: unknown, put: (number: number) => void): boolean {
  const number = NON_FINITE.get(value);
  if (number !== undefined) put(number);
  return number !== undefined;
}

const putBfloat =
  (into: Uint16Array): Put =>
  (value, i) => {
    const put = (number: number) => (into[i] = bfloatOf(number));
    if (typeof value !== 'number') return putNonFinite(value, put);
    put(value);
    return ((into[i] as number) & 0x7f80) !== 0x7f80;
  };

const single = new Float32Array(1);
const bits = new Uint32Array(single.buffer);

/** The upper half of the FP32, rounded to nearest, ties to even. */
function bfloatOf(value: number): number {
  if (Number.isNaN(value)) return 0x7fc0;
  single[0] = value;
  const all = bits[0] as number;
  return (all + 0x7fff + ((all >>> 16) & 1)) >>> 16;
}

/** BF16 as FP32, which holds each of them. */
export function floatsOfBfloat(elements: Uint16Array): Float32Array {
  const halves = new Uint16Array(elements.length * 2);
  elements.forEach((upper, i) => {
    halves[2 * i + 1] = upper;
  });
  return new Float32Array(halves.buffer);
}

const putWhole =
  (into: Int32Array, range: Range): Put =>
  (value, i) => {
    if (typeof value !== 'number' || !Number.isInteger(value) || value < range.min || value > range.max) return false;
    into[i] = value;
    return true;
  };

/** A double beyond 2^53 may already be another number than the one that was sent; parseJson hands those on as bigint. */
const putWide =
  (into: BigInt64Array | BigUint64Array, range: Range): Put =>
  (value, i) => {
    const exact = bigintOf(value);
    if (exact === undefined || exact < range.min || exact > range.max) return false;
    into[i] = exact;
    return true;
  };

function bigintOf(value: unknown): bigint | undefined {
  if (typeof value === 'bigint') return value;
  if (typeof value === 'number') return Number.isSafeInteger(value) ? BigInt(value) : undefined;
  return typeof value === 'string' && /^-?[0-9]{1,20}$/.test(value) ? BigInt(value) : undefined;
}

/** Clients that keep truths as numbers send 0 and 1: nothing else can be meant. */
const putTruth =
  (into: Uint8Array): Put =>
  (value, i) => {
    if (value !== true && value !== false && value !== 0 && value !== 1) return false;
    into[i] = Number(value);
    return true;
  };

import { ARRAYS, type Datatype, type NumericDatatype, type NumericElements } from '../../tensor.ts';

/**
 * A number as a tensor of the datatype holds it. What training saw as 0.1 arrives as 0.10000000149 in FP32: held
 * against the unrounded edge it would fall into the next bin, and the greatest value of training out of range.
 */
export function asHeld(datatype: Datatype, value: number): number {
  if (datatype === 'FP32') return Math.fround(value);
  if (datatype === 'FP16') return new Float16Array([value])[0] as number;
  if (datatype === 'BF16') return fromBf16(toBf16(value));
  return value;
}

const FLOAT = new Float32Array(1);
const BITS = new Uint32Array(FLOAT.buffer);

/** Rounds to the nearest, ties to even, as frameworks do. */
function toBf16(value: number): number {
  FLOAT[0] = value;
  const bits = BITS[0] as number;
  return ((bits + 0x7fff + ((bits >>> 16) & 1)) >>> 16) & 0xffff;
}

function fromBf16(bits: number): number {
  BITS[0] = bits << 16;
  return FLOAT[0] as number;
}

/** Entries `from`, `from + step`, … of a tensor as numbers, `count` of them, into `into`. */
export type Gather = (elements: NumericElements, from: number, step: number, count: number, into: Float64Array) => void;

/** Each has loops of its own: one loop over many kinds of arrays is compiled for all of them and is ten times slower. */
export function gatherOf(datatype: NumericDatatype): Gather {
  if (datatype === 'FP32') return gatherFp32;
  if (datatype === 'FP64') return gatherFp64;
  if (datatype === 'INT64' || datatype === 'UINT64') return gatherWide;
  if (datatype === 'FP16') return gatherFp16;
  return datatype === 'BF16' ? gatherBf16 : gatherInteger;
}

const gatherFp32: Gather = (elements, from, step, count, into) => {
  const floats = elements as Float32Array;
  for (let i = 0, at = from; i < count; i++, at += step) into[i] = floats[at] as number;
};

const gatherFp64: Gather = (elements, from, step, count, into) => {
  const floats = elements as Float64Array;
  for (let i = 0, at = from; i < count; i++, at += step) into[i] = floats[at] as number;
};

const gatherInteger: Gather = (elements, from, step, count, into) => {
  const integers = elements as Int32Array;
  for (let i = 0, at = from; i < count; i++, at += step) into[i] = integers[at] as number;
};

const gatherWide: Gather = (elements, from, step, count, into) => {
  const integers = elements as BigInt64Array;
  for (let i = 0, at = from; i < count; i++, at += step) into[i] = Number(integers[at]);
};

const gatherBf16: Gather = (elements, from, step, count, into) => {
  const bits = elements as Uint16Array;
  for (let i = 0, at = from; i < count; i++, at += step) into[i] = fromBf16(bits[at] as number);
};

const gatherFp16: Gather = (elements, from, step, count, into) => {
  const floats = new Float16Array(elements.buffer as SharedArrayBuffer, elements.byteOffset, elements.length);
  for (let i = 0, at = from; i < count; i++, at += step) into[i] = floats[at] as number;
};

/** Whether the datatype counts whole numbers (BOOL too) rather than fractions. */
export const isInteger = (datatype: Datatype): boolean =>
  datatype !== 'BYTES' && !datatype.startsWith('FP') && datatype !== 'BF16' && ARRAYS[datatype] !== undefined;

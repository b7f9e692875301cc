import type { Datatype, NumericDatatype, NumericElements } from '../../tensor.ts';

/**
 * A number as a tensor of the datatype holds it. What training saw as 0.1 arrives as 0.10000000149 in FP32: held
 * against the unrounded edge it would fall into the next bin, and the greatest value of training out of range.
 */
export function asHeld(datatype: Datatype, value: number): number {
  if (datatype === 'FP32') return Math.fround(value);
  if (datatype === 'FP16') return fromFp16(toFp16(value));
  return datatype === 'BF16' ? fromBf16(toBf16(value)) : value;
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

const HALF = new Float16Array(1);
const HALF_BITS = new Uint16Array(HALF.buffer);

function toFp16(value: number): number {
  HALF[0] = value;
  return HALF_BITS[0] as number;
}

function fromFp16(bits: number): number {
  HALF_BITS[0] = bits;
  return HALF[0] as number;
}

export type ReadNumber = (elements: NumericElements, at: number) => number;

/** Reads an element of a tensor as a number; 64-bit integers beyond 2^53 are rounded. */
export function numberReader(datatype: NumericDatatype): ReadNumber {
  if (datatype === 'FP16') return (elements, at) => fromFp16(elements[at] as number);
  if (datatype === 'BF16') return (elements, at) => fromBf16(elements[at] as number);
  if (datatype === 'INT64' || datatype === 'UINT64') return (elements, at) => Number(elements[at]);
  return (elements, at) => elements[at] as number;
}

/** Whether the datatype counts whole numbers (BOOL too) rather than fractions. */
export const isInteger = (datatype: Datatype): boolean =>
  datatype !== 'BYTES' && !datatype.startsWith('FP') && datatype !== 'BF16';

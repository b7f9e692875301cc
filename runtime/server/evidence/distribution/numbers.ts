import type { Datatype } from '../../tensor.ts';

/**
 * A number as a tensor of the datatype holds it. What training saw as 0.1 arrives as 0.10000000149 in FP32: held
 * against the unrounded edge it would fall into the next bin, and the greatest value of training out of range.
 */
export function asHeld(datatype: Datatype, value: number): number {
  if (datatype === 'FP32') return Math.fround(value);
  if (datatype === 'FP16') return new Float16Array([value])[0] as number;
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

export function fromBf16(bits: number): number {
  BITS[0] = bits << 16;
  return FLOAT[0] as number;
}

/** Whether the datatype counts whole numbers (BOOL too) rather than fractions. */
export const isInteger = (datatype: Datatype): boolean =>
  datatype !== 'BYTES' && !datatype.startsWith('FP') && datatype !== 'BF16';

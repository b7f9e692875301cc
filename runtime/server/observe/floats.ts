import type { Datatype, NumericElements, TensorValue } from '../tensor.ts';

const FLOATS: ReadonlySet<Datatype> = new Set(['FP16', 'BF16', 'FP32', 'FP64']);

export const isFloat = (datatype: Datatype): boolean => FLOATS.has(datatype);

/** The numbers of a float tensor: FP16 and BF16 lie in memory as bits. */
export function floatsOf({ datatype, elements }: TensorValue): ArrayLike<number> {
  if (datatype === 'FP16') {
    const { buffer, byteOffset, length } = elements as Uint16Array;
    return new Float16Array(buffer, byteOffset, length);
  }
  if (datatype === 'BF16') return widened(elements as Uint16Array);
  return elements as Float32Array | Float64Array;
}

/** BF16 is the upper half of an FP32. */
function widened(halves: Uint16Array): Float32Array {
  const bits = new Uint32Array(halves.length);
  for (let i = 0; i < halves.length; i++) bits[i] = (halves[i] as number) << 16;
  return new Float32Array(bits.buffer);
}

/** Bytes that a tensor takes in memory; texts by their length in UTF-16, which is near enough for a bound. */
export const bytesIn = ({ elements }: TensorValue): number =>
  Array.isArray(elements)
    ? elements.reduce((total, text) => total + 2 * text.length + 16, 0)
    : (elements as NumericElements).byteLength;

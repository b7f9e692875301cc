import type { NumericDatatype, NumericElements } from '../../tensor.ts';
import { numberReader, type ReadNumber } from './numbers.ts';

/** Entries that are gathered before they are counted: column by column costs a quarter of row by row. */
export const STAGED = 64;

/**
 * Writes values of a tensor column by column into `into` (STAGED a column), from place `at` of each: of `count` entries,
 * from `first` on each `step`-th, the values at `indices` of the `width` each has; NaN for an index it does not have.
 */
export type Gather = (
  elements: NumericElements,
  indices: Int32Array,
  width: number,
  first: number,
  step: number,
  count: number,
  into: Float64Array,
  at: number,
) => void;

/** FP32 has a loop of its own: a loop over many kinds of arrays is compiled for all of them, several times slower. */
export function gatherOf(datatype: NumericDatatype): Gather {
  return datatype === 'FP32' ? gatherFp32 : gatherWith(numberReader(datatype));
}

const gatherFp32: Gather = (elements, indices, width, first, step, count, into, at) => {
  const floats = elements as Float32Array;
  for (let entry = 0; entry < count; entry++) {
    const base = (first + entry * step) * width;
    for (let column = 0, to = at + entry; column < indices.length; column++, to += STAGED) {
      const index = indices[column] as number;
      into[to] = index < width ? (floats[base + index] as number) : Number.NaN;
    }
  }
};

const gatherWith =
  (read: ReadNumber): Gather =>
  (elements, indices, width, first, step, count, into, at) => {
    for (let entry = 0; entry < count; entry++) {
      const base = (first + entry * step) * width;
      for (let column = 0, to = at + entry; column < indices.length; column++, to += STAGED) {
        const index = indices[column] as number;
        into[to] = index < width ? read(elements, base + index) : Number.NaN;
      }
    }
  };

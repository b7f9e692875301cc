import type { Signature, Tensor } from '@slipway/crds/contract';
import { ARRAYS, type NumericDatatype, sizeOf } from '../tensor.ts';

/** One row of one input: everything but the batch dimension. */
export interface InputLayout {
  readonly name: string;
  readonly datatype: NumericDatatype;
  readonly shape: readonly number[];
  readonly elements: number;
  readonly bytes: number;
}

export interface RowLayout {
  readonly inputs: readonly InputLayout[];
  /** Of all inputs together. */
  readonly bytes: number;
}

/** Whether requests may share a run: every input and output has a free first dimension. */
export const isBatchable = ({ inputs, outputs }: Signature): boolean =>
  inputs.length > 0 && [...inputs, ...outputs].every(({ shape }) => shape[0] === -1);

/** The layout of a row where every row is alike; undefined where sizes are the caller's choice, or text. */
export function rowLayoutOf(signature: Signature): RowLayout | undefined {
  if (!isBatchable(signature)) return undefined;
  const inputs = signature.inputs.map(inputLayoutOf);
  if (!inputs.every((input) => input !== undefined)) return undefined;
  return { inputs, bytes: inputs.reduce((sum, { bytes }) => sum + bytes, 0) };
}

function inputLayoutOf({ name, datatype, shape: [, ...shape] }: Tensor): InputLayout | undefined {
  if (datatype === 'BYTES' || shape.some((size) => size < 1)) return undefined;
  const elements = sizeOf(shape);
  return { name, datatype, shape, elements, bytes: elements * ARRAYS[datatype].BYTES_PER_ELEMENT };
}

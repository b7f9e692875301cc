import type { ElementType } from './elementTypes.ts';
import type { Attribute, GraphValue, Initializer, Node } from './model.ts';

/** One operator: `node('Gemm', ['x', 'w', 'b'], 'y')`. A single output may be given as a string. */
export const node = (
  op: string,
  inputs: readonly string[],
  outputs: string | readonly string[],
  attributes: Readonly<Record<string, Attribute>> = {},
): Node => ({ op, inputs, outputs: typeof outputs === 'string' ? [outputs] : outputs, attributes });

/** An FP32 constant, row major. */
export const fp32 = (name: string, shape: readonly number[], values: ArrayLike<number>): Initializer => ({
  name,
  type: 'FP32',
  shape,
  values: values instanceof Float32Array ? values : Float32Array.from(values),
});

/** An INT64 constant, row major. Numbers must be safe integers. */
export const int64 = (name: string, shape: readonly number[], values: readonly number[]): Initializer => ({
  name,
  type: 'INT64',
  shape,
  values: BigInt64Array.from(values, BigInt),
});

/** A graph input or output; -1 is a dimension the caller chooses. */
export const value = (name: string, type: ElementType, shape: readonly number[]): GraphValue => ({ name, type, shape });

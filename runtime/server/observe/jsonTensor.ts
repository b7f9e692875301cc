import type { TensorValue } from '../tensor.ts';
import { floatsOf, isFloat } from './floats.ts';

/** A tensor as JSON has it in the protocol: `data` flat, and only its first elements where it is longer than `most`. */
export interface JsonTensor extends Pick<TensorValue, 'name' | 'datatype' | 'shape'> {
  readonly data: readonly (number | string | boolean)[];
}

/** A server reads back the very same elements: see `jsonElement`. */
export function jsonTensor(tensor: TensorValue, most = Number.POSITIVE_INFINITY): JsonTensor {
  const { name, datatype, shape } = tensor;
  const elements = isFloat(datatype) ? floatsOf(tensor) : tensor.elements;
  const element = datatype === 'BOOL' ? (value: unknown) => value === 1 : jsonElement;
  return {
    name,
    datatype,
    shape,
    data: Array.from({ length: Math.min(elements.length, most) }, (_, i) => element(elements[i])),
  };
}

/** JSON has no word for what is not finite, and its readers round whole numbers beyond 2^53: both go as text. */
function jsonElement(value: unknown): number | string {
  if (typeof value === 'bigint') {
    const number = Number(value);
    return Number.isSafeInteger(number) ? number : String(value);
  }
  return typeof value === 'number' && !Number.isFinite(value) ? String(value) : (value as number | string);
}

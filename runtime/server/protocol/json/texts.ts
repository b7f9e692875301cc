import type { NonFinite } from '@slipway/crds/serving';
import { sizeOf, type TensorValue } from '../../tensor.ts';
import { writeElements } from './elements.ts';

/** The elements [from, to) of a tensor as the inside of a JSON list. */
function sliceText(tensor: TensorValue, from: number, to: number, policy: NonFinite): string {
  const { elements } = tensor;
  const part = Array.isArray(elements) ? elements.slice(from, to) : elements.subarray(from, to);
  const text = writeElements({ ...tensor, elements: part }, policy);
  return typeof text === 'string' ? text : text.toString('latin1');
}

/** Row `row` of a tensor as JSON: a plain value where the tensor has one dimension, else lists as the shape nests them. */
export function rowText(tensor: TensorValue, row: number, policy: NonFinite): string {
  const inner = tensor.shape.slice(1);
  const size = sizeOf(inner);
  return nested(tensor, row * size, inner, policy);
}

function nested(tensor: TensorValue, from: number, shape: readonly number[], policy: NonFinite): string {
  if (shape.length === 0) return sliceText(tensor, from, from + 1, policy);
  const [size = 0, ...rest] = shape;
  if (rest.length === 0) return `[${sliceText(tensor, from, from + size, policy)}]`;
  const step = sizeOf(rest);
  return `[${Array.from({ length: size }, (_, k) => nested(tensor, from + k * step, rest, policy)).join(',')}]`;
}

import type { TensorValue } from '../tensor.ts';
import { floatsOfBfloat } from './json/datatypes.ts';
import { shortest } from './json/elements.ts';

/**
 * The largest `count` values of each row, first the largest, as Triton writes them: "value:index" or, with names of the
 * classes, "value:index:name". Rows are the first dimension of a model whose requests share runs, else all is one row.
 */
export function classified(
  tensor: TensorValue,
  count: number,
  labels: readonly string[] | undefined,
  rowwise: boolean,
): TensorValue {
  const elements = numbersOf(tensor);
  const rows = rowwise ? (tensor.shape[0] ?? 1) : 1;
  const width = rows === 0 ? 0 : elements.length / rows;
  const most = Math.min(count, width);
  const texts: string[] = [];
  for (let row = 0; row < rows; row++) {
    const values = elements.subarray(row * width, (row + 1) * width);
    for (const index of largest(values, most)) {
      const label = labels?.[index];
      texts.push(`${shortest(values[index] as number)}:${index}${label === undefined ? '' : `:${label}`}`);
    }
  }
  return { name: tensor.name, datatype: 'BYTES', shape: rowwise ? [rows, most] : [most], elements: texts };
}

/** NaN is no class: it comes last. */
function largest(values: Float64Array, count: number): readonly number[] {
  const rank = (index: number): number => {
    const value = values[index] as number;
    return Number.isNaN(value) ? Number.NEGATIVE_INFINITY : value;
  };
  return Array.from(values.keys())
    .sort((a, b) => rank(b) - rank(a) || a - b)
    .slice(0, count);
}

/** The elements of a numeric tensor as doubles. */
export function numbersOf({ datatype, elements }: TensorValue): Float64Array {
  if (Array.isArray(elements)) return new Float64Array(0);
  if (datatype === 'BF16') return Float64Array.from(floatsOfBfloat(elements as Uint16Array));
  if (datatype === 'FP16') {
    return Float64Array.from(new Float16Array(elements.buffer, elements.byteOffset, elements.length));
  }
  return Float64Array.from(elements as Iterable<number>, Number);
}

import type { Baseline, Signature } from '@slipway/crds/contract';
import type { TensorValue } from '../tensor.ts';
import { floatsOf, isFloat } from './floats.ts';

export type Features = Baseline['features'];

/** Where a named feature lies in a request. */
export interface Location {
  readonly name: string;
  /** Index of the input in the signature. */
  readonly input: number;
  /** Entry within a row; undefined: all of the row's. */
  readonly entry: number | undefined;
  /** The categories that training had, where the feature is one of those. */
  readonly categories: ReadonlySet<string> | undefined;
}

/** A feature of baseline.json, a column of the signature, or a whole input, in that order. Undefined: no such name. */
export function locate(name: string, signature: Signature, features: Features): Location | undefined {
  const feature = features.find((candidate) => candidate.name === name);
  if (feature) {
    const input = signature.inputs.findIndex(({ name: tensor }) => tensor === feature.tensor);
    const categories =
      feature.kind === 'categorical' ? new Set(feature.categories.map(({ value }) => String(value))) : undefined;
    return input < 0 ? undefined : { name, input, entry: feature.index, categories };
  }
  for (const [input, { columns }] of signature.inputs.entries()) {
    const entry = columns?.indexOf(name) ?? -1;
    if (entry >= 0) return { name, input, entry, categories: undefined };
  }
  const input = signature.inputs.findIndex((tensor) => tensor.name === name);
  if (input < 0) return undefined;
  return { name, input, entry: isSingle(signature.inputs[input]?.shape ?? []) ? 0 : undefined, categories: undefined };
}

/** Whether a row of this shape is one element: [-1], [-1, 1]. */
const isSingle = (shape: readonly number[]): boolean => shape.slice(1).every((dimension) => dimension === 1);

/** The feature's value in one of `rows` rows, as text. Empty where the request has no such entry. */
export function valueAt(location: Location, inputs: readonly TensorValue[], row: number, rows: number): string {
  const tensor = inputs[location.input];
  if (!tensor) return '';
  const elements = isFloat(tensor.datatype) ? floatsOf(tensor) : tensor.elements;
  const size = elements.length / rows;
  const start = row * size;
  if (location.entry !== undefined) return location.entry < size ? String(elements[start + location.entry]) : '';
  return Array.prototype.slice.call(elements, start, start + size).join(',');
}

/** All rows of a model whose requests can't be split are one. */
export function rowsOf(signature: Signature, inputs: readonly TensorValue[]): number {
  const free = (tensors: Signature['inputs']) => tensors.every(({ shape }) => shape[0] === -1);
  const batched = free(signature.inputs) && free(signature.outputs);
  return batched ? Math.max(1, inputs[0]?.shape[0] ?? 1) : 1;
}

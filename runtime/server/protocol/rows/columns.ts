import type { Tensor } from '@slipway/crds/contract';
import type { ServedModel } from '../../models/servedModel.ts';
import { sizeOf } from '../../tensor.ts';

/** Where one feature of a row goes: entry `index` of a row of the model's input `input`. */
export interface Column {
  readonly name: string;
  readonly input: number;
  readonly index: number;
}

const COLUMNS = new WeakMap<ServedModel, ReadonlyMap<string, Column> | string>();

/**
 * The features of a model by name, or the sentence that says why its rows have none. An input is named by the `columns`
 * of its signature, else by the features of the training baseline that lie in it, else, where it holds one value a row,
 * by itself.
 */
export function columnsOf(model: ServedModel): ReadonlyMap<string, Column> | string {
  const known = COLUMNS.get(model);
  if (known !== undefined) return known;
  const found = find(model);
  COLUMNS.set(model, found);
  return found;
}

function find(model: ServedModel): ReadonlyMap<string, Column> | string {
  const columns = new Map<string, Column>();
  for (const [input, tensor] of model.signature.inputs.entries()) {
    const names = namesOf(tensor, model);
    if (!names) {
      return `The columns of input "${tensor.name}" have no names; send tensors, or name them in signature.json ("columns").`;
    }
    for (const [index, name] of names.entries()) {
      if (columns.has(name)) return `Two columns of the model are called "${name}"; send tensors instead of rows.`;
      columns.set(name, { name, input, index });
    }
  }
  return columns;
}

/** Undefined unless each value of a row has a name. */
function namesOf({ name, shape, columns }: Tensor, model: ServedModel): readonly string[] | undefined {
  const inner = shape.slice(1);
  if (shape.length === 0 || inner.some((size) => size < 0)) return undefined;
  const width = sizeOf(inner);
  if (columns && columns.length === width) return columns;
  const features = model.evidence.baseline?.features.filter(({ tensor }) => tensor === name) ?? [];
  const names = Array.from({ length: width }, (_, i) => features.find(({ index }) => index === i)?.name);
  if (names.every((feature) => feature !== undefined)) return names;
  return width === 1 ? [name] : undefined;
}

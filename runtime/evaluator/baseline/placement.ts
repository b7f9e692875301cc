import type { Signature, Tensor } from '@slipway/crds/contract';

/** Where a named feature lies in what a model takes. */
export interface FeaturePlace {
  readonly tensor: string;
  readonly index: number;
  readonly datatype: Tensor['datatype'];
}

/**
 * The features that can be told by name: the columns of a tensor where its signature names them, else a tensor of one
 * value a row, by its own name. What has neither is found in no table.
 */
export function featurePlaces({ inputs }: Signature): ReadonlyMap<string, FeaturePlace> {
  const places = new Map<string, FeaturePlace>();
  for (const { name: tensor, datatype, shape, columns } of inputs) {
    const width = shape.length < 2 ? 1 : (shape.at(-1) ?? 1);
    if (columns !== undefined)
      for (const [index, column] of columns.entries()) places.set(column, { tensor, index, datatype });
    else if (width === 1) places.set(tensor, { tensor, index: 0, datatype });
  }
  return places;
}

import type { Tensor } from '@slipway/crds/contract';
import type { Lease, Urgency } from '../batching/scheduler.ts';
import type { ServedModel } from '../models/servedModel.ts';
import { badRequest } from '../requestError.ts';
import { named, quoted, shapeText } from './sentences.ts';

/** What a request says of one of its tensors before the elements are read. Nothing of it is trusted yet. */
export interface TensorHeader {
  readonly name: string;
  readonly datatype: string;
  readonly shape: readonly number[];
}

/** The default of `limits.maxElements`. */
export const MAX_ELEMENTS = 2 ** 28;

/** The part of a model that headers are held against. */
export interface Taker {
  readonly signature: ServedModel['signature'];
  readonly scheduler: Pick<ServedModel['scheduler'], 'batchable'>;
}

export interface OpenedLease {
  readonly lease: Lease;
  /** positions[i] is the place in `lease.inputs` of the i-th header. */
  readonly positions: readonly number[];
}

/**
 * Checks the headers of a request against the signature and leases room for the elements. `maxElements` bounds each
 * tensor: pass the bytes of the request where those are fewer, for no encoding holds more elements than bytes, and a
 * shape alone must not be able to order memory. `urgency` (the order will do) lets what would be refused be refused here.
 * Throws RequestError 400, EngineError Overloaded, TooLate or Closing.
 */
export function openLease(
  headers: readonly TensorHeader[],
  model: ServedModel,
  maxElements: number = MAX_ELEMENTS,
  urgency?: Urgency,
): OpenedLease {
  const positions = orderInputs(headers, model);
  return { lease: model.scheduler.lease(shapesOf(headers, positions, model, maxElements), urgency), positions };
}

/** For each header its place among the inputs of the signature. Throws RequestError 400: unknown, twice or missing. */
export function orderInputs(headers: readonly TensorHeader[], model: Taker): readonly number[] {
  const { inputs } = model.signature;
  const positions = headers.map(({ name }) => {
    const position = inputs.findIndex((input) => input.name === name);
    if (position < 0) throw badRequest(`There is no input ${quoted(name)}; the model takes ${namesOf(inputs)}.`);
    return position;
  });
  const twice = positions.find((position, i) => positions.indexOf(position) < i);
  if (twice !== undefined) throw badRequest(`"${inputs[twice]?.name}" stands twice in "inputs".`);
  if (positions.length < inputs.length) {
    const missing = inputs.filter((_, i) => !positions.includes(i));
    throw badRequest(
      `Input ${namesOf(missing)} ${missing.length > 1 ? 'are' : 'is'} missing; the model takes ${namesOf(inputs)}.`,
    );
  }
  return positions;
}

/** The shapes in the order of the signature, each held against it. Throws RequestError 400. */
export function shapesOf(
  headers: readonly TensorHeader[],
  positions: readonly number[],
  model: Taker,
  maxElements: number,
): readonly (readonly number[])[] {
  const { inputs } = model.signature;
  const shapes = new Array<readonly number[]>(inputs.length);
  headers.forEach((header, i) => {
    const position = positions[i] as number;
    checkHeader(header, inputs[position] as Tensor, maxElements);
    shapes[position] = header.shape;
  });
  if (model.scheduler.batchable) checkBatch(shapes, inputs, maxElements);
  return shapes;
}

/** The sentence names the input: a request may have many. */
export const refusal = (name: string, fault: string) => badRequest(`Input ${quoted(name)}: ${fault}`);

const namesOf = (tensors: readonly Tensor[]): string => named(tensors.map(({ name }) => name));

const isDimension = (size: number): boolean => Number.isSafeInteger(size) && size >= 0;

function checkHeader({ datatype, shape }: TensorHeader, declared: Tensor, maxElements: number): void {
  const { name } = declared;
  if (datatype !== declared.datatype) {
    throw refusal(name, `datatype ${quoted(datatype)} given, the model takes ${declared.datatype}.`);
  }
  if (!shape.every(isDimension)) throw refusal(name, `shape ${shapeText(shape)} must be whole numbers, none below 0.`);
  const fits =
    shape.length === declared.shape.length && declared.shape.every((size, i) => size < 0 || size === shape[i]);
  if (!fits)
    throw refusal(
      name,
      `shape ${shapeText(shape)} does not fit ${shapeText(declared.shape)} of the model (-1 is any size).`,
    );
  let elements = 1;
  for (const size of shape) elements *= size;
  if (elements > maxElements) {
    throw refusal(name, `shape [${shape}] means ${elements} elements, at most ${maxElements} can be here.`);
  }
}

/**
 * A batch of none has no row to answer, and rows of several inputs belong together one by one. Rows without elements
 * take no byte: bounded by elements alone, a shape like [2^53-1,0] would be counted and walked row by row.
 */
function checkBatch(shapes: readonly (readonly number[])[], inputs: readonly Tensor[], most: number): void {
  const rows = shapes[0]?.[0];
  if (rows !== undefined && rows > most) {
    throw refusal(inputs[0]?.name ?? '', `shape [${shapes[0]}] means ${rows} rows, at most ${most} can be here.`);
  }
  if (rows === 0) throw refusal(inputs[0]?.name ?? '', `shape [${shapes[0]}] holds no row; send at least one.`);
  const other = shapes.findIndex((shape) => shape[0] !== rows);
  if (other > 0) {
    throw badRequest(
      `Input "${inputs[0]?.name}" has ${rows} rows and "${inputs[other]?.name}" has ${shapes[other]?.[0]}; send equally many.`,
    );
  }
}

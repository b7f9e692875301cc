import type { ServedModel } from '../models/servedModel.ts';
import { badRequest } from '../requestError.ts';
import { sizeOf } from '../tensor.ts';
import { checkRawSize, type InferPlan } from './inferPlan.ts';
import { outputsOf } from './order.ts';
import { leastRawSize } from './rawTensor.ts';
import { orderInputs, shapesOf } from './tensorHeader.ts';

/**
 * A raw-binary request (Inference-Header-Content-Length: 0): the whole body is the only input, of `size` bytes, and all
 * outputs come back binary (Triton's binary tensor data extension). One open dimension follows from the size; where a
 * batch dimension is open beside it, there is one row. A text is one element and has no length in front. Throws RequestError 400.
 */
export function planOfRaw(size: number, model: ServedModel, maxElements: number): InferPlan {
  const { inputs, outputs } = model.signature;
  const [input] = inputs;
  if (inputs.length !== 1 || input === undefined) {
    throw badRequest(`A raw-binary request carries one tensor, the model takes ${inputs.length}; send JSON headers.`);
  }
  const { name, datatype } = input;
  const header = { name, datatype, shape: shapeOf(size, model) };
  const shapes = shapesOf([header], orderInputs([header], model), model, maxElements);
  if (datatype !== 'BYTES') checkRawSize(header, size);
  return {
    id: undefined,
    parameters: undefined,
    sources: [{ kind: datatype === 'BYTES' ? 'text' : 'binary', at: 0, size }],
    positions: [0],
    shapes,
    largest: sizeOf(header.shape),
    binaryBytes: size,
    outputs: outputsOf(undefined, model),
    forms: outputs.map((output) => ({ name: output.name, binary: true, classes: 0 })),
  };
}

function shapeOf(size: number, { signature, scheduler }: ServedModel): readonly number[] {
  const input = signature.inputs[0] as (typeof signature.inputs)[number];
  if (input.datatype === 'BYTES') {
    const shape = input.shape.map((dimension) => (dimension < 0 ? 1 : dimension));
    if (sizeOf(shape) === 1) return shape;
    throw badRequest(`A raw-binary request carries one text, input "${input.name}" is [${input.shape}]; send JSON.`);
  }
  const open = input.shape.filter((dimension) => dimension < 0).length;
  const batch = scheduler.batchable && open > 1;
  if (open - Number(batch) > 1) {
    throw badRequest(
      `The shape of input "${input.name}" [${input.shape}] cannot follow from a size; send JSON headers.`,
    );
  }
  const known = input.shape.map((dimension, i) => (batch && i === 0 ? 1 : dimension));
  const rest = leastRawSize(input.datatype, sizeOf(known.filter((dimension) => dimension >= 0)));
  const free = rest === 0 ? 0 : size / rest;
  if (!Number.isInteger(free)) {
    throw badRequest(`${size} bytes are no whole number of rows of input "${input.name}", which take ${rest} each.`);
  }
  return known.map((dimension) => (dimension < 0 ? free : dimension));
}

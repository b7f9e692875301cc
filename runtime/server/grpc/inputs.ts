import type { Lease, Order } from '../batching/scheduler.ts';
import type { ServedModel } from '../models/servedModel.ts';
import { checkRawSize } from '../protocol/inferPlan.ts';
import { readRaw } from '../protocol/rawTensor.ts';
import { orderInputs, shapesOf } from '../protocol/tensorHeader.ts';
import { badRequest } from '../requestError.ts';
import type { TensorValue } from '../tensor.ts';
import type { InferInput, InferRequest } from './messages/inferRequest.ts';
import { readContents } from './messages/typedContents.ts';

/**
 * Reads the tensors of a message straight into leased room. Raw rule of the protocol: where raw_input_contents has an
 * entry, it has one for each input, in their order, and no input has contents. Throws RequestError 400 and what `lease`
 * throws; nothing then stays leased.
 */
export function openInputs(
  bytes: Buffer,
  request: InferRequest,
  model: ServedModel,
  maxElements: number,
  order: Order,
): Lease {
  const { inputs, raw } = request;
  checkRaw(inputs, raw);
  const positions = orderInputs(inputs, model);
  // No contents hold more elements than bytes, so that a shape alone can't order memory.
  const shapes = shapesOf(inputs, positions, model, Math.min(maxElements, bytes.length));
  for (let i = 0; i < raw.length / 2; i++) checkRawSize(inputs[i] as InferInput, sizeOfRange(raw, i));
  const lease = model.scheduler.lease(shapes, order);
  try {
    for (let i = 0; i < inputs.length; i++) {
      const into = lease.inputs[positions[i] as number] as TensorValue;
      if (raw.length > 0) readRaw(bytes.subarray(raw[2 * i], raw[2 * i + 1]), into);
      else readContents(bytes, (inputs[i] as InferInput).contents, into);
    }
  } catch (error) {
    lease.release();
    throw error;
  }
  return lease;
}

const sizeOfRange = (ranges: readonly number[], i: number): number =>
  (ranges[2 * i + 1] as number) - (ranges[2 * i] as number);

function checkRaw(inputs: readonly InferInput[], raw: readonly number[]): void {
  if (raw.length === 0) return;
  const both = inputs.find(({ contents }) =>
    contents.some((end, i) => i % 2 === 1 && end > (contents[i - 1] as number)),
  );
  if (both) throw badRequest(`Input "${both.name}" has contents beside raw_input_contents; send one or the other.`);
  if (raw.length === 2 * inputs.length) return;
  throw badRequest(
    `raw_input_contents has ${raw.length / 2} entries for ${inputs.length} inputs; send one for each, in their order.`,
  );
}

/** Answers are typed for whoever asks in types; all others read raw_output_contents, tritonclient nothing else. */
export const isTyped = ({ inputs, raw }: InferRequest): boolean =>
  raw.length === 0 && inputs.some(({ contents }) => contents.length > 0);

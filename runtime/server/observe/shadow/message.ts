import { readRaw, writeRaw } from '../../protocol/rawTensor.ts';
import { ARRAYS, roomFor, sizeOf, type TensorValue } from '../../tensor.ts';

/** An infer request with all tensors binary: JSON, then each tensor's bytes (Triton's binary tensor extension). */
export interface WireMessage {
  /** Bytes of the JSON: the header Inference-Header-Content-Length. */
  readonly jsonLength: number;
  readonly parts: readonly Uint8Array[];
  readonly length: number;
}

/** Asks for the outputs that the live answer had, in binary too. Numbers are views on the tensors' memory, not copies. */
export function inferRequest(
  id: string | undefined,
  inputs: readonly TensorValue[],
  outputs: readonly string[],
): WireMessage {
  const raw = inputs.map(writeRaw);
  const json = Buffer.from(
    JSON.stringify({
      ...(id !== undefined && { id }),
      inputs: inputs.map(({ name, datatype, shape }, i) => ({
        name,
        datatype,
        shape,
        parameters: { binary_data_size: raw[i]?.byteLength },
      })),
      outputs: outputs.map((name) => ({ name, parameters: { binary_data: true } })),
    }),
  );
  const parts = [json, ...raw];
  return { jsonLength: json.length, parts, length: parts.reduce((total, { byteLength }) => total + byteLength, 0) };
}

/**
 * The outputs of an answer whose tensors are all binary. Throws an Error with what is wrong: the candidate is another
 * build than this one, and its answers are not to be trusted before they are read.
 */
export function readInferAnswer(jsonLength: number, body: Uint8Array): TensorValue[] {
  if (!(jsonLength > 0 && jsonLength <= body.length)) throw new Error('the answer is not binary');
  const { outputs }: { outputs?: unknown } = JSON.parse(Buffer.from(body.subarray(0, jsonLength)).toString('utf8'));
  if (!Array.isArray(outputs)) throw new Error('the answer has no outputs');
  let at = jsonLength;
  return outputs.map((output) => {
    const { name, datatype, shape, size } = headerOf(output);
    const bytes = body.subarray(at, at + size);
    const elements = sizeOf(shape);
    // Before room is made for it: a shape is only text.
    if (bytes.length < size || elements > size) throw new Error(`output ${name} is shorter than it says`);
    at += size;
    const tensor: TensorValue = { name, datatype, shape, elements: roomFor(datatype, elements) };
    readRaw(bytes, tensor);
    return tensor;
  });
}

interface OutputHeader extends Pick<TensorValue, 'name' | 'datatype' | 'shape'> {
  readonly size: number;
}

function headerOf(output: unknown): OutputHeader {
  const { name, datatype, shape, parameters } = Object(output);
  const size = Object(parameters).binary_data_size;
  const isDatatype = typeof datatype === 'string' && (datatype === 'BYTES' || Object.hasOwn(ARRAYS, datatype));
  if (typeof name !== 'string' || !isDatatype || !Array.isArray(shape) || !shape.every(isCount) || !isCount(size)) {
    throw new Error('an output of the answer lacks its name, datatype, shape or size');
  }
  return { name, datatype: datatype as TensorValue['datatype'], shape, size };
}

const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;

import type { TensorHeader } from '../../protocol/tensorHeader.ts';
import { refuseSharedMemory } from '../../protocol/unserved.ts';
import { badRequest } from '../../requestError.ts';
import { type ReadParameters, readParameter, textField } from './parameters.ts';
import { isSame } from './text.ts';
import { BYTES, VARINT, WireCursor } from './wire.ts';

/** One input tensor: its header, and where its typed contents lie in the message; none with raw contents. */
export interface InferInput extends TensorHeader {
  /** Start and end of each InferTensorContents, flat. There is one at most, but for senders that merge messages. */
  readonly contents: readonly number[];
}

export interface InferOutput {
  readonly name: string;
  readonly parameters: ReadParameters | undefined;
}

/** A ModelInferRequest. What holds elements is still in the bytes of the message, for it is read to where the engine reads it. */
export interface InferRequest {
  model: string;
  version: string;
  id: string;
  parameters: ReadParameters | undefined;
  readonly inputs: InferInput[];
  outputs: InferOutput[] | undefined;
  /** Start and end of each entry of raw_input_contents, flat. */
  readonly raw: number[];
}

/** Field numbers of the Open Inference Protocol with the wire type of each: number · 8 + wire type. */
const TAG = {
  model: 8 + BYTES,
  version: 16 + BYTES,
  id: 24 + BYTES,
  parameters: 32 + BYTES,
  inputs: 40 + BYTES,
  outputs: 48 + BYTES,
  raw: 56 + BYTES,
} as const;

const TENSOR_TAG = {
  name: 8 + BYTES,
  datatype: 16 + BYTES,
  shapeOne: 24 + VARINT,
  shape: 24 + BYTES,
  parameters: 32 + BYTES,
  contents: 40 + BYTES,
} as const;

/** No signature has as many, and no shape, nor is a tensor sent in as many pieces. */
const MOST_ENTRIES = 1024;

/**
 * Nothing that an honest caller lists comes to as many: a byte or two of a message makes an entry, and 60 MB of shape
 * alone took 1.3 GB and held all callers up for two seconds.
 */
const tooMany = (what: string) => badRequest(`The message has more than ${MOST_ENTRIES} ${what}.`);

/** Reads bytes[start, end). Throws RequestError 400: no message of this kind. */
export function readInferRequest(bytes: Uint8Array, start: number, end: number): InferRequest {
  const cursor = new WireCursor(bytes, start, end);
  const request: InferRequest = {
    model: '',
    version: '',
    id: '',
    parameters: undefined,
    inputs: [],
    outputs: undefined,
    raw: [],
  };
  while (cursor.at < end) readField(cursor, request);
  return request;
}

function readField(cursor: WireCursor, request: InferRequest): void {
  const tag = cursor.varint();
  switch (tag) {
    case TAG.raw: {
      const end = cursor.lengthEnd();
      if (request.raw.push(cursor.at, end) > 2 * MOST_ENTRIES) throw tooMany('raw_input_contents');
      cursor.at = end;
      return;
    }
    case TAG.inputs:
      if (request.inputs.push(readInput(cursor)) > MOST_ENTRIES) throw tooMany('inputs');
      return;
    case TAG.model:
      request.model = textField(cursor);
      return;
    case TAG.version:
      request.version = textField(cursor);
      return;
    case TAG.id:
      request.id = textField(cursor);
      return;
    case TAG.parameters:
      request.parameters ??= {};
      readParameter(cursor, request.parameters);
      return;
    case TAG.outputs:
      request.outputs ??= [];
      if (request.outputs.push(readOutput(cursor)) > MOST_ENTRIES) throw tooMany('outputs');
      return;
    default:
      cursor.skip(tag);
  }
}

/** Input headers without contents that came last, byte for byte: most requests of a model have the same. */
const known: { readonly bytes: Uint8Array; readonly input: InferInput }[] = [];
const MOST_KNOWN = 16;
const LONGEST_KNOWN = 256;
let nextKnown = 0;

function readInput(cursor: WireCursor): InferInput {
  const outer = cursor.end;
  const end = cursor.lengthEnd();
  const start = cursor.at;
  const familiar = end - start <= LONGEST_KNOWN ? findKnown(cursor.bytes, start, end) : undefined;
  if (familiar) {
    cursor.at = end;
    return familiar;
  }
  cursor.end = end;
  const input = readTensor(cursor);
  cursor.end = outer;
  if (input.contents.length === 0 && end - start <= LONGEST_KNOWN) {
    known[nextKnown] = { bytes: cursor.bytes.slice(start, end), input };
    nextKnown = (nextKnown + 1) % MOST_KNOWN;
  }
  return input;
}

function findKnown(bytes: Uint8Array, start: number, end: number): InferInput | undefined {
  for (const entry of known) if (isSame(entry.bytes, bytes, start, end)) return entry.input;
  return undefined;
}

function readTensor(cursor: WireCursor): InferInput {
  let name = '';
  let datatype = '';
  const shape: number[] = [];
  const contents: number[] = [];
  let parameters: ReadParameters | undefined;
  while (cursor.at < cursor.end) {
    const tag = cursor.varint();
    if (tag === TENSOR_TAG.name) name = textField(cursor);
    else if (tag === TENSOR_TAG.datatype) datatype = textField(cursor);
    else if (tag === TENSOR_TAG.shape) readShape(cursor, shape);
    else if (tag === TENSOR_TAG.shapeOne) pushSize(shape, cursor.signed());
    else if (tag === TENSOR_TAG.contents) {
      const end = cursor.lengthEnd();
      if (contents.push(cursor.at, end) > 2 * MOST_ENTRIES) throw tooMany('contents of one input');
      cursor.at = end;
    } else if (tag === TENSOR_TAG.parameters) {
      parameters ??= {};
      readParameter(cursor, parameters);
    } else cursor.skip(tag);
  }
  refuseSharedMemory(parameters, `input "${name}"`);
  return { name, datatype, shape, contents };
}

function readShape(cursor: WireCursor, shape: number[]): void {
  const outer = cursor.end;
  cursor.end = cursor.lengthEnd();
  while (cursor.at < cursor.end) pushSize(shape, cursor.signed());
  cursor.end = outer;
}

function pushSize(shape: number[], size: number): void {
  if (shape.push(size) > MOST_ENTRIES) throw tooMany('dimensions of one input');
}

/** InferRequestedOutputTensor: name = 1, parameters = 2. */
function readOutput(cursor: WireCursor): InferOutput {
  const outer = cursor.end;
  cursor.end = cursor.lengthEnd();
  let name = '';
  let parameters: ReadParameters | undefined;
  while (cursor.at < cursor.end) {
    const tag = cursor.varint();
    if (tag === 8 + BYTES) name = textField(cursor);
    else if (tag === 16 + BYTES) {
      parameters ??= {};
      readParameter(cursor, parameters);
    } else cursor.skip(tag);
  }
  cursor.end = outer;
  refuseSharedMemory(parameters, `output "${name}"`);
  return { name, parameters };
}

import type { Tensor } from '@slipway/crds/contract';
import { writeRaw } from '../../protocol/rawTensor.ts';
import type { TensorValue } from '../../tensor.ts';
import { hasTypedContents, writeContents } from './typedContents.ts';
import { BYTES, field, varintSize, writeVarint } from './wire.ts';

const RAW_TAG = 48 + BYTES;
const OUTPUT_TAG = 40 + BYTES;
const SHAPE_TAG = 24 + BYTES;
const CONTENTS_TAG = 40 + BYTES;

/** What is the same in each answer of a model version, encoded once. */
export interface AnswerParts {
  /** model_name and model_version. */
  readonly identity: Buffer;
  /** name and datatype of each output as the model declares it, by its name. */
  readonly outputs: ReadonlyMap<string, OutputHead>;
}

interface OutputHead {
  readonly datatype: string;
  readonly bytes: Buffer;
}

const outputHead = (name: string, datatype: string): OutputHead => ({
  datatype,
  bytes: Buffer.concat([field(1, name), field(2, datatype)]),
});

export const answerParts = (name: string, version: string, outputs: readonly Tensor[]): AnswerParts => ({
  identity: Buffer.concat([field(1, name), field(2, version)]),
  outputs: new Map(outputs.map(({ name, datatype }) => [name, outputHead(name, datatype)])),
});

interface OutputPart {
  readonly head: Buffer;
  readonly shape: readonly number[];
  readonly shapeBytes: number;
  /** InferTensorContents, or the entry of raw_output_contents. */
  readonly content: Uint8Array;
}

/**
 * A ModelInferResponse that knows its size before it is written, so that it is written once, behind its frame header.
 * Clients read raw_output_contents only where that has one entry for each output: contents are typed for all or none.
 */
export class InferResponse {
  readonly #parts: AnswerParts;
  readonly #id: Buffer | undefined;
  readonly #outputs: readonly OutputPart[];
  readonly #typed: boolean;
  readonly size: number;

  constructor(parts: AnswerParts, id: string, outputs: readonly TensorValue[], typed: boolean) {
    this.#parts = parts;
    this.#id = id === '' ? undefined : field(3, id);
    this.#typed = typed && outputs.every(({ datatype }) => hasTypedContents(datatype));
    this.#outputs = outputs.map((output) => this.#partOf(output));
    this.size = parts.identity.length + (this.#id?.length ?? 0);
    for (const part of this.#outputs) {
      this.size += sizeOfField(this.#tensorSize(part));
      if (!this.#typed) this.size += sizeOfField(part.content.length);
    }
  }

  /** Writes the message and answers where it ends. */
  write(into: Uint8Array, start: number): number {
    let at = put(into, start, this.#parts.identity);
    if (this.#id) at = put(into, at, this.#id);
    for (const part of this.#outputs) at = this.#writeTensor(into, at, part);
    if (this.#typed) return at;
    for (const { content } of this.#outputs) at = putField(into, at, RAW_TAG, content);
    return at;
  }

  #partOf(output: TensorValue): OutputPart {
    let shapeBytes = 0;
    for (const size of output.shape) shapeBytes += varintSize(size);
    const declared = this.#parts.outputs.get(output.name);
    // The classes of an output are text, whatever the output itself is.
    const head = declared?.datatype === output.datatype ? declared : outputHead(output.name, output.datatype);
    return {
      head: head.bytes,
      shape: output.shape,
      shapeBytes,
      content: this.#typed ? writeContents(output) : writeRaw(output),
    };
  }

  #tensorSize({ head, shapeBytes, content }: OutputPart): number {
    return head.length + sizeOfField(shapeBytes) + (this.#typed ? sizeOfField(content.length) : 0);
  }

  #writeTensor(into: Uint8Array, start: number, part: OutputPart): number {
    into[start] = OUTPUT_TAG;
    let at = writeVarint(into, start + 1, this.#tensorSize(part));
    at = put(into, at, part.head);
    into[at] = SHAPE_TAG;
    at = writeVarint(into, at + 1, part.shapeBytes);
    for (const size of part.shape) at = writeVarint(into, at, size);
    return this.#typed ? putField(into, at, CONTENTS_TAG, part.content) : at;
  }
}

/** A field of a one-byte tag, its length and its content. */
const sizeOfField = (length: number): number => 1 + varintSize(length) + length;

function putField(into: Uint8Array, at: number, tag: number, content: Uint8Array): number {
  into[at] = tag;
  return put(into, writeVarint(into, at + 1, content.length), content);
}

function put(into: Uint8Array, at: number, bytes: Uint8Array): number {
  into.set(bytes, at);
  return at + bytes.length;
}

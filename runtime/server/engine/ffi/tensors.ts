import type { Signature } from '@slipway/crds/contract';
import koffi from 'koffi';
import { ELEMENT_TYPES } from '../../../onnx/elementTypes.ts';
import { type NumericElements, sizeOf, type TensorValue } from '../../tensor.ts';
import { EngineError } from '../engine.ts';
import { type Cells, type CString, cells, cString } from './cells.ts';
import type { Flight } from './flight.ts';
import { check, created, type Library } from './library.ts';
import type { OutputPlan } from './outputPlan.ts';
import { inPlace, Room } from './room.ts';
import { DATATYPES } from './signature.ts';
import { fillStrings, readStrings } from './strings.ts';

const MAX_RANK = 64;
const WORD = 2 ** 32;

/** Puts tensors into a session's flights and takes them out again. Every OrtValue it makes is released by `clear`. */
export class Tensors {
  readonly #library: Library;
  readonly #names: ReadonlyMap<string, CString>;
  /** Position of the input whose first dimension is the batch; undefined where none is free. */
  readonly #batchInput: string | undefined;
  readonly #room = new Room();
  /** Read by native code before a call returns, so one does for all. */
  readonly #shape = cells(MAX_RANK);
  readonly #shapeWords = new Uint32Array(this.#shape.values.buffer);
  readonly #out = cells(3);

  constructor(library: Library, signature: Signature) {
    this.#library = library;
    this.#names = new Map(signature.inputs.map(({ name }) => [name, cString(name)]));
    this.#batchInput = signature.inputs.find(({ shape }) => shape[0] === -1)?.name;
  }

  /** Inputs in; also room for the outputs of which the shape is known. */
  load(flight: Flight, inputs: readonly TensorValue[]): void {
    // Native code reads one cell for each input of the signature and not one more.
    if (inputs.length > this.#names.size) throw new EngineError('InvalidInput', 'an input is given twice');
    let rows: number | undefined;
    const given: TensorValue[] = [];
    flight.given = given;
    for (let i = 0; i < inputs.length; i++) {
      const input = inputs[i] as TensorValue;
      const name = this.#names.get(input.name);
      if (!name) throw new EngineError('InvalidInput', `the model has no input "${input.name}"`);
      if (input.name === this.#batchInput) rows = input.shape[0];
      flight.inputNames.values[i] = name.address;
      flight.inputCount = i + 1;
      given.push(this.#loadInput(flight.inputs.at[i] as bigint, input));
    }
    const { outputs } = flight.plan;
    for (let i = 0; i < outputs.length; i++) {
      flight.outputs.values[i] = 0n;
      flight.answers[i] = this.#roomFor(outputs[i] as OutputPlan, rows, flight.outputs.at[i] as bigint);
    }
  }

  /** Outputs out, after a run that went well. */
  unload(flight: Flight): TensorValue[] {
    const { outputs } = flight.plan;
    const answers = new Array<TensorValue>(outputs.length);
    for (let i = 0; i < outputs.length; i++) {
      answers[i] = flight.answers[i] ?? this.#copyOut(outputs[i] as OutputPlan, flight.outputs.values[i] as bigint);
    }
    return answers;
  }

  /** Gives back every OrtValue of a flight, whatever became of the run. */
  clear(flight: Flight): void {
    this.#release(flight.inputs, flight.inputCount);
    this.#release(flight.outputs, flight.plan.outputs.length);
    flight.inputCount = 0;
    flight.given = [];
    flight.answers = [];
  }

  #release({ values }: Cells, count: number): void {
    for (let i = 0; i < count; i++) {
      if (values[i] !== 0n) this.#library.api.ReleaseValue(values[i] as bigint);
      values[i] = 0n;
    }
  }

  #loadInput(at: bigint, input: TensorValue): TensorValue {
    const { api, allocator } = this.#library;
    this.#setShape(input.shape);
    const shape = this.#shape.at[0] as bigint;
    if (Array.isArray(input.elements)) {
      if (input.elements.length !== sizeOf(input.shape)) throw new EngineError('InvalidInput', wrongSize(input));
      check(api, api.CreateTensorAsOrtValue(allocator, shape, input.shape.length, ELEMENT_TYPES.BYTES, at));
      fillStrings(this.#library, koffi.decode(at, 'void *'), input.elements);
      return input;
    }
    const elements = inPlace(input.elements);
    this.#wrap(elements, input.shape.length, ELEMENT_TYPES[input.datatype], at);
    return elements === input.elements ? input : { ...input, elements };
  }

  #roomFor(output: OutputPlan, rows: number | undefined, at: bigint): TensorValue | undefined {
    const { name, datatype, tail, tailElements, isBatched } = output;
    if (tail === undefined || datatype === 'BYTES' || (isBatched && rows === undefined)) return undefined;
    const shape = isBatched ? [rows as number, ...tail] : tail;
    const elements = this.#room.take(datatype, isBatched ? (rows as number) * tailElements : tailElements);
    this.#setShape(shape);
    this.#wrap(elements, shape.length, ELEMENT_TYPES[datatype], at);
    return { name, datatype, shape, elements };
  }

  /** A tensor over memory that is there, of the shape that was set. */
  #wrap(elements: NumericElements, rank: number, type: number, at: bigint): void {
    const { api, cpuMemory } = this.#library;
    const { byteLength } = elements;
    // Memory of no bytes has no address, which native code refuses.
    const memory = byteLength === 0 ? this.#shape.values : elements;
    const shape = this.#shape.at[0] as bigint;
    const status = api.CreateTensorWithDataAsOrtValue(cpuMemory, memory, byteLength, shape, rank, type, at);
    if (status !== null) check(api, status);
  }

  #setShape(shape: readonly number[]): void {
    if (shape.length > MAX_RANK) throw new EngineError('InvalidInput', `a tensor has more than ${MAX_RANK} dimensions`);
    for (let i = 0; i < shape.length; i++) {
      const size = shape[i] as number;
      this.#shapeWords[2 * i] = size % WORD;
      this.#shapeWords[2 * i + 1] = Math.floor(size / WORD);
    }
  }

  /** Copies what ONNX Runtime has allocated, for it goes back with its OrtValue. */
  #copyOut({ name }: OutputPlan, value: bigint): TensorValue {
    const { api, copy } = this.#library;
    const [type, dimensions, rank] = this.#out.at as readonly [bigint, bigint, bigint];
    this.#out.values[0] = 0n;
    check(api, api.GetTensorElementTypeAndShapeDataReference(value, type, dimensions, rank));
    const [elementType = 0n, first = 0n, size = 0n] = this.#out.values;
    const datatype = DATATYPES.get(Number(elementType));
    if (!datatype) throw new Error(`output "${name}" is not a tensor that can be served`);
    const shape: number[] = size === 0n ? [] : Array.from(koffi.decode(first, 'int64_t', Number(size)), Number);
    if (datatype === 'BYTES')
      return { name, datatype, shape, elements: readStrings(this.#library, value, sizeOf(shape)) };
    const elements = this.#room.take(datatype, sizeOf(shape));
    if (elements.byteLength > 0) {
      copy(
        elements,
        created(api, this.#out, (at) => api.GetTensorMutableData(value, at)),
        elements.byteLength,
      );
    }
    return { name, datatype, shape, elements };
  }
}

const wrongSize = ({ name, shape, elements }: TensorValue): string =>
  `input "${name}" of shape [${shape}] has ${elements.length} elements`;

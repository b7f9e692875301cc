import type { Tensor } from '@slipway/crds/contract';

/** Open Inference Protocol datatype; BF16 is Triton's addition. */
export type Datatype = Tensor['datatype'];

/** Row-major numbers as they lie in memory. FP16 and BF16 are their bits; BOOL is 0 or 1, a byte each. */
export type NumericElements =
  | Float32Array
  | Float64Array
  | Int8Array
  | Int16Array
  | Int32Array
  | BigInt64Array
  | Uint8Array
  | Uint16Array
  | Uint32Array
  | BigUint64Array;

/** BYTES elements are text: the engine's string tensors hold UTF-8. */
export type Elements = NumericElements | string[];

/** A named tensor with its elements, row-major; their number is the product of the shape. */
export interface TensorValue {
  readonly name: string;
  readonly datatype: Datatype;
  readonly shape: readonly number[];
  readonly elements: Elements;
}

export type NumericDatatype = Exclude<Datatype, 'BYTES'>;

/** The array that holds each numeric datatype; its BYTES_PER_ELEMENT is the size on the wire, little-endian and packed. */
export const ARRAYS = {
  BOOL: Uint8Array,
  UINT8: Uint8Array,
  UINT16: Uint16Array,
  UINT32: Uint32Array,
  UINT64: BigUint64Array,
  INT8: Int8Array,
  INT16: Int16Array,
  INT32: Int32Array,
  INT64: BigInt64Array,
  FP16: Uint16Array,
  BF16: Uint16Array,
  FP32: Float32Array,
  FP64: Float64Array,
} as const satisfies Record<NumericDatatype, unknown>;

/** Bytes of one element; undefined for BYTES, whose elements have lengths of their own. */
export const bytesPerElement = (datatype: Datatype): number | undefined =>
  datatype === 'BYTES' ? undefined : ARRAYS[datatype].BYTES_PER_ELEMENT;

export const sizeOf = (shape: readonly number[]): number =>
  shape.reduce((product, dimension) => product * dimension, 1);

/** Elements of `datatype` over memory that is there already; the offset must be a multiple of the element size. */
export function viewOf(
  datatype: NumericDatatype,
  memory: ArrayBufferLike,
  byteOffset: number,
  length: number,
): NumericElements {
  const ArrayOf: new (memory: ArrayBufferLike, byteOffset: number, length: number) => NumericElements =
    ARRAYS[datatype];
  return new ArrayOf(memory, byteOffset, length);
}

/** Room for `length` elements in memory of their own, which every thread and the native engine can reach in place. */
export function roomFor(datatype: Datatype, length: number): Elements {
  if (datatype === 'BYTES') return new Array<string>(length).fill('');
  return viewOf(datatype, new SharedArrayBuffer(length * ARRAYS[datatype].BYTES_PER_ELEMENT), 0, length);
}

/** The tensor with memory of its own: for whoever keeps it longer than its owner does. */
export const copyOf = (tensor: TensorValue): TensorValue => ({ ...tensor, elements: tensor.elements.slice() });

import type { Tensor } from '@slipway/crds/contract';

export type Datatype = Tensor['datatype'];

/** Row-major elements as the engine takes them: BOOL is 0 or 1 in a Uint8Array, BYTES is a list of strings. */
export type Elements =
  | Float32Array<ArrayBuffer>
  | Float64Array<ArrayBuffer>
  | Int8Array<ArrayBuffer>
  | Int16Array<ArrayBuffer>
  | Int32Array<ArrayBuffer>
  | BigInt64Array<ArrayBuffer>
  | Uint8Array<ArrayBuffer>
  | Uint16Array<ArrayBuffer>
  | Uint32Array<ArrayBuffer>
  | BigUint64Array<ArrayBuffer>
  | readonly string[];

/** Called with the index of the first element that the datatype cannot hold; throws. */
type Refuse = (index: number) => never;

export interface DatatypeCodec {
  /** Completes "FP32 takes …" in a refusal. */
  readonly takes: string;
  readonly decode: (values: readonly unknown[], refuse: Refuse) => Elements;
  /** The elements as a JSON array. Floats must be finite. */
  readonly encode: (elements: Elements) => string;
}

/** JSON has no word for these; the spelling is that of the JSON mapping of protocol buffers. */
const NON_FINITE: ReadonlyMap<unknown, number> = new Map([
  ['NaN', Number.NaN],
  ['Infinity', Number.POSITIVE_INFINITY],
  ['-Infinity', Number.NEGATIVE_INFINITY],
]);

const joined = (elements: Elements): string => `[${elements.join(',')}]`;

const floats = (ArrayOf: Float32ArrayConstructor | Float64ArrayConstructor, takes: string): DatatypeCodec => ({
  takes,
  encode: joined,
  decode(values, refuse) {
    const elements = new ArrayOf(values.length);
    for (let i = 0; i < values.length; i++) {
      const value = values[i];
      if (typeof value === 'number') {
        elements[i] = value;
        if (!Number.isFinite(elements[i])) refuse(i); // too large: a silent infinity would poison every answer
      } else {
        elements[i] = NON_FINITE.get(value) ?? refuse(i);
      }
    }
    return elements;
  },
});

type SmallIntegers =
  | Int8ArrayConstructor
  | Int16ArrayConstructor
  | Int32ArrayConstructor
  | Uint8ArrayConstructor
  | Uint16ArrayConstructor
  | Uint32ArrayConstructor;

const integers = (ArrayOf: SmallIntegers, min: number, max: number): DatatypeCodec => ({
  takes: `a whole number from ${min} to ${max}`,
  encode: joined,
  decode(values, refuse) {
    const elements = new ArrayOf(values.length);
    for (let i = 0; i < values.length; i++) {
      const value = values[i];
      if (typeof value !== 'number' || !Number.isInteger(value) || value < min || value > max) refuse(i);
      elements[i] = value as number;
    }
    return elements;
  },
});

/** A JSON number is a double: beyond 2^53 it may already be another number than the one that was sent. */
function bigintOf(value: unknown): bigint | undefined {
  if (typeof value === 'number') return Number.isSafeInteger(value) ? BigInt(value) : undefined;
  return typeof value === 'string' && /^-?[0-9]{1,20}$/.test(value) ? BigInt(value) : undefined;
}

const bigIntegers = (
  ArrayOf: BigInt64ArrayConstructor | BigUint64ArrayConstructor,
  min: bigint,
  max: bigint,
): DatatypeCodec => ({
  takes: `a whole number from ${min} to ${max}, written as a string where it is beyond 2^53`,
  encode: joined,
  decode(values, refuse) {
    const elements = new ArrayOf(values.length);
    for (let i = 0; i < values.length; i++) {
      const value = bigintOf(values[i]);
      if (value === undefined || value < min || value > max) refuse(i);
      elements[i] = value as bigint;
    }
    return elements;
  },
});

const booleans: DatatypeCodec = {
  takes: 'true or false',
  encode: (elements) => `[${Array.from<unknown, boolean>(elements, (element) => element === 1).join(',')}]`,
  decode(values, refuse) {
    const elements = new Uint8Array(values.length);
    values.forEach((value, i) => {
      elements[i] = typeof value === 'boolean' ? Number(value) : refuse(i);
    });
    return elements;
  },
};

const strings: DatatypeCodec = {
  takes: 'a string',
  encode: (elements) => JSON.stringify(elements),
  decode: (values, refuse) => values.map((value, i) => (typeof value === 'string' ? value : refuse(i))),
};

/**
 * What crosses the REST border, by Open Inference Protocol datatype. FP16 is missing on purpose: the protocol keeps it
 * out of JSON, and the engine's binding cannot carry it.
 */
export const CODECS: Readonly<Partial<Record<Datatype, DatatypeCodec>>> = {
  BOOL: booleans,
  UINT8: integers(Uint8Array, 0, 0xff),
  UINT16: integers(Uint16Array, 0, 0xffff),
  UINT32: integers(Uint32Array, 0, 0xffffffff),
  UINT64: bigIntegers(BigUint64Array, 0n, 2n ** 64n - 1n),
  INT8: integers(Int8Array, -0x80, 0x7f),
  INT16: integers(Int16Array, -0x8000, 0x7fff),
  INT32: integers(Int32Array, -0x80000000, 0x7fffffff),
  INT64: bigIntegers(BigInt64Array, -(2n ** 63n), 2n ** 63n - 1n),
  FP32: floats(Float32Array, 'a number up to 3.4e38, or "NaN", "Infinity", "-Infinity"'),
  FP64: floats(Float64Array, 'a number, or "NaN", "Infinity", "-Infinity"'),
  BYTES: strings,
};

import { type Datatype, type Elements, roomFor, type TensorValue } from '../tensor.ts';

type Plain = number | boolean | string;

/**
 * Elements of what a file says in JSON, in memory of their own. Throws Error with a sentence for a value that is none of
 * the datatype.
 */
export function elementsOf(datatype: Datatype, values: readonly Plain[]): Elements {
  if (datatype === 'BYTES') return values.map(String);
  const room = roomFor(datatype, values.length) as { [index: number]: number | bigint };
  const convert = CONVERTERS[datatype] ?? Number;
  values.forEach((value, i) => {
    if (!isOf(datatype, value)) throw new Error(`element ${i} is ${JSON.stringify(value)}, which is no ${datatype}.`);
    room[i] = convert(value);
  });
  return room as Elements;
}

/** Floats may be named, as JSON has no word for what is not finite: "NaN", "Infinity". */
function isOf(datatype: Datatype, value: Plain): boolean {
  if (typeof value !== 'string') return true;
  if (datatype.startsWith('FP') || datatype === 'BF16') return value === 'NaN' || !Number.isNaN(Number(value));
  return datatype !== 'BOOL' && /^-?\d+$/.test(value);
}

const CONVERTERS: Readonly<Partial<Record<Datatype, (value: Plain) => number | bigint>>> = {
  BOOL: (value) => Number(Boolean(value)),
  INT64: BigInt,
  UINT64: BigInt,
  FP16: (value) => new Uint16Array(Float16Array.of(Number(value)).buffer)[0] as number,
  BF16: (value) => bf16Bits(Number(value)),
};

/** The upper half of the 32-bit float, rounded to the nearest, ties to even. */
function bf16Bits(value: number): number {
  const bits = new Uint32Array(Float32Array.of(value).buffer)[0] as number;
  if (Number.isNaN(value)) return 0x7fc0;
  return ((bits + 0x7fff + ((bits >>> 16) & 1)) >>> 16) & 0xffff;
}

/** Elements as values that can be compared and read: the half floats are bits otherwise. */
export function numbersOf({ datatype, elements }: TensorValue): ArrayLike<number | bigint | string> {
  if (datatype === 'FP16') return Float16Array.from(elements as Uint16Array, halfOf);
  if (datatype === 'BF16') return Float32Array.from(elements as Uint16Array, brainOf);
  return elements;
}

const halfOf = (bits: number): number => new Float16Array(Uint16Array.of(bits).buffer)[0] as number;
const brainOf = (bits: number): number => new Float32Array(Uint32Array.of(bits << 16).buffer)[0] as number;

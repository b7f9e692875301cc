import { isUtf8 } from 'node:buffer';
import { badRequest } from '../../requestError.ts';
import { sizeOf, type TensorValue } from '../../tensor.ts';
import { refusal } from '../tensorHeader.ts';
import { putterOf, takes } from './datatypes.ts';

/** A value as the caller wrote it, short enough for a sentence. */
export function brief(value: unknown): string {
  if (value === undefined) return 'missing';
  if (typeof value === 'object' && value !== null) return Array.isArray(value) ? 'a list' : 'an object';
  const text = typeof value === 'bigint' ? String(value) : JSON.stringify(value);
  return text.length > 40 ? `${text.slice(0, 40)}…` : text;
}

const WHOLE = /^-?\d+$/;

/** JSON.parse, but whole numbers beyond 2^53 come as bigint with all their digits. Several times slower. */
const parseExact = (text: string): unknown =>
  JSON.parse(text, (_, value: unknown, context?: { readonly source?: string }) =>
    typeof value === 'number' && !Number.isSafeInteger(value) && WHOLE.test(context?.source ?? '')
      ? BigInt(context?.source as string)
      : value,
  );

/** A whole number that a double may not hold; the digits behind a point are none. */
const MANY_DIGITS = /(?<![.\d])\d{16}/;

/** Reads a JSON text. `exact`: 64-bit integers may be in it. Throws RequestError 400. */
export function parseJson(bytes: Buffer, exact: boolean): unknown {
  if (!isUtf8(bytes)) throw badRequest('The body is not valid UTF-8.');
  const text = bytes.toString('utf8');
  try {
    return exact && MANY_DIGITS.test(text) ? parseExact(text) : JSON.parse(text);
  } catch {
    const hint = NUMBERS_OF_PYTHON.test(text) ? NON_FINITE_HINT : '';
    throw badRequest(`The body is not valid JSON${hint}.`);
  }
}

/** Python's json.dumps writes these bare, and whoever sends one sees nothing wrong with the body. */
const NUMBERS_OF_PYTHON = /[[,:\s]-?(?:NaN|Infinity)\s*[,\]}]/;
const NON_FINITE_HINT = ', which has no NaN and no Infinity; send "NaN", "Infinity" or "-Infinity" in quotes';

/** Reads `data` as the protocol has it, flat in row-major order or nested as the shape says. Throws RequestError 400. */
export function readValues(json: unknown, into: TensorValue): void {
  const { name, datatype, shape } = into;
  if (!Array.isArray(json)) throw refusal(name, `data must be a list of elements, not ${brief(json)}.`);
  const put = putterOf(into);
  const putOrRefuse = (value: unknown, index: number): void => {
    if (put(value, index)) return;
    throw refusal(name, `element ${index} is ${brief(value)}, ${datatype} takes ${takes(datatype)}.`);
  };
  if (shape.length > 1 && Array.isArray(json[0])) return void readNested(json, 0, 0, into, putOrRefuse);
  const size = sizeOf(shape);
  if (json.length !== size) {
    throw refusal(name, `shape [${shape}] needs ${size} elements, data has ${json.length}.`);
  }
  for (let i = 0; i < size; i++) putOrRefuse(json[i], i);
}

/** Answers the index after the last element read. */
function readNested(
  json: unknown,
  depth: number,
  index: number,
  into: TensorValue,
  put: (value: unknown, index: number) => void,
): number {
  const { name, shape } = into;
  if (!Array.isArray(json) || json.length !== shape[depth]) {
    throw refusal(name, `nested data is not shaped [${shape}].`);
  }
  let next = index;
  for (const part of json as readonly unknown[]) {
    if (depth < shape.length - 1) next = readNested(part, depth + 1, next, into, put);
    else put(part, next++);
  }
  return next;
}

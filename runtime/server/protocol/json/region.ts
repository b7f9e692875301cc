import { sizeOf, type TensorValue } from '../../tensor.ts';
import { skipSpace } from './bytes.ts';
import { isWide, RANGES } from './datatypes.ts';
import { scanFloats } from './scanFloats.ts';
import { scanIntegers } from './scanIntegers.ts';
import { parseJson, readValues } from './values.ts';

/** Reads `count` elements from bytes[at] on into the tensor from `index` on; the position after them, or -1. */
type ScanRow = (at: number, index: number, count: number) => number;

/**
 * Reads the list bytes[start…stop] into a tensor, flat or nested as its shape says. What the scanners do not know (other
 * datatypes, numbers as text, every fault) is read by JSON.parse, which also words the refusal: RequestError 400.
 */
export function readRegion(bytes: Buffer, start: number, stop: number, into: TensorValue): void {
  const scanRow = scannerOf(bytes, into);
  if (scanRow && scanList(bytes, start, into.shape, scanRow) === stop) return;
  readValues(parseJson(bytes.subarray(start, stop), isWide(into.datatype)), into);
}

function scannerOf(bytes: Buffer, { datatype, elements }: TensorValue): ScanRow | undefined {
  if (datatype === 'FP32') {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    return (at, index, count) => scanFloats(bytes, view, at, elements as Float32Array, index, count);
  }
  const range = RANGES[datatype];
  if (!range || Array.isArray(elements)) return undefined;
  return (at, index, count) => scanIntegers(bytes, at, elements, index, count, range);
}

function scanList(bytes: Buffer, start: number, shape: readonly number[], scanRow: ScanRow): number {
  if (bytes[start] !== 91) return -1;
  const first = skipSpace(bytes, start + 1);
  if (shape.length < 2 || bytes[first] !== 91) return closed(bytes, scanRow(first, 0, sizeOf(shape)));
  return scanLevel(bytes, start, shape, 0, 0, scanRow);
}

function scanLevel(
  bytes: Buffer,
  open: number,
  shape: readonly number[],
  depth: number,
  index: number,
  scanRow: ScanRow,
): number {
  if (bytes[open] !== 91) return -1;
  const size = shape[depth] as number;
  let p = open + 1;
  if (depth === shape.length - 1) return closed(bytes, scanRow(p, index, size));
  const part = sizeOf(shape.slice(depth + 1));
  for (let k = 0; k < size && p >= 0; k++) {
    if (k > 0) p = afterComma(bytes, skipSpace(bytes, p));
    if (p >= 0) p = scanLevel(bytes, skipSpace(bytes, p), shape, depth + 1, index + k * part, scanRow);
  }
  return closed(bytes, p);
}

const afterComma = (bytes: Buffer, at: number): number => (bytes[at] === 44 ? at + 1 : -1);

/** The position after the closing bracket that must follow; -1 stays what it is. */
function closed(bytes: Buffer, at: number): number {
  if (at < 0) return -1;
  const p = skipSpace(bytes, at);
  return bytes[p] === 93 ? p + 1 : -1;
}

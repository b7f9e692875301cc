import koffi from 'koffi';

/** Pointer-sized cells that native code reads and writes in place: shared memory neither moves nor goes while held. */
export interface Cells {
  readonly values: BigUint64Array<SharedArrayBuffer>;
  /** Address of each cell. */
  readonly at: readonly bigint[];
}

const CELL = BigUint64Array.BYTES_PER_ELEMENT;

export function cells(count: number): Cells {
  const values = new BigUint64Array(new SharedArrayBuffer(Math.max(1, count) * CELL));
  const first = koffi.address(values);
  return { values, at: Array.from({ length: Math.max(1, count) }, (_, i) => first + BigInt(i * CELL)) };
}

/** A C string that outlives the call it is given to, as long as `memory` is held. */
export interface CString {
  readonly memory: Uint8Array;
  readonly address: bigint;
}

export function cString(text: string): CString {
  const bytes = Buffer.from(`${text}\0`);
  const memory = new Uint8Array(new SharedArrayBuffer(bytes.length));
  memory.set(bytes);
  return { memory, address: koffi.address(memory) };
}

/** An array of C strings, as `const char *const *`. */
export interface CStrings {
  readonly strings: readonly CString[];
  readonly pointers: Cells;
}

export function cStrings(texts: readonly string[]): CStrings {
  const strings = texts.map(cString);
  const pointers = cells(texts.length);
  strings.forEach(({ address }, i) => {
    pointers.values[i] = address;
  });
  return { strings, pointers };
}

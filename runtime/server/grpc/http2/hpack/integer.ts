/** A header block that can't be read: the connection can't go on, for the two tables may differ from here (RFC 7541). */
export class HpackError extends Error {
  override readonly name = 'HpackError';
}

/** Where a reader is in a block; shared by the functions that read its parts, so that they answer plain values. */
export interface Cursor {
  readonly bytes: Uint8Array;
  at: number;
  readonly end: number;
}

/** Nothing we accept needs more: sizes and indexes lie below 2^28. */
const MOST_CONTINUATIONS = 4;

/** An integer with a prefix of so many bits (RFC 7541, section 5.1). Throws HpackError: too long, or cut off. */
export function readInteger(cursor: Cursor, prefixBits: number): number {
  const mask = 2 ** prefixBits - 1;
  const first = byteAt(cursor) & mask;
  if (first < mask) return first;
  let value = first;
  for (let i = 0; i < MOST_CONTINUATIONS; i++) {
    const byte = byteAt(cursor);
    value += (byte & 127) * 2 ** (7 * i);
    if (byte < 128) return value;
  }
  throw new HpackError('an integer that is too long');
}

export function byteAt(cursor: Cursor): number {
  if (cursor.at >= cursor.end) throw new HpackError('a header block that is cut off');
  return cursor.bytes[cursor.at++] as number;
}

/** The bytes of an integer; `flags` are the bits above the prefix. */
export function integerBytes(value: number, prefixBits: number, flags: number): number[] {
  const mask = 2 ** prefixBits - 1;
  if (value < mask) return [flags | value];
  const bytes = [flags | mask];
  let rest = value - mask;
  for (; rest > 127; rest = Math.floor(rest / 128)) bytes.push((rest & 127) | 128);
  return [...bytes, rest];
}

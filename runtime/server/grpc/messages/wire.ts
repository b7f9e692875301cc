import { badRequest } from '../../requestError.ts';

/** Wire types of protocol buffers that are still in use. */
export const VARINT = 0;
export const FIXED64 = 1;
export const BYTES = 2;
export const FIXED32 = 5;

/**
 * Where a reader is in an encoded message. Nested messages are read by the same cursor with another end, so that reading
 * makes no objects but the result. Every fault is a RequestError 400.
 */
export class WireCursor {
  bytes: Uint8Array;
  at: number;
  end: number;
  /** Parameters read so far. */
  parameters = 0;
  constructor(bytes: Uint8Array, at: number, end: number) {
    this.bytes = bytes;
    this.at = at;
    this.end = end;
  }

  /** A varint that is a length, a tag or a count; 64-bit values above 2^53 come out rounded, which no length survives. */
  varint(): number {
    let value = 0;
    let scale = 1;
    for (let i = 0; i < 10; i++) {
      if (this.at >= this.end) throw truncated();
      const byte = this.bytes[this.at++] as number;
      value += (byte & 127) * scale;
      if (byte < 128) return value;
      scale *= 128;
    }
    throw badRequest('The message is no protocol buffer: a number is longer than ten bytes.');
  }

  /** The 64 bits of a varint. */
  varint64(): bigint {
    const start = this.at;
    const value = this.varint();
    if (value <= Number.MAX_SAFE_INTEGER) return BigInt(value);
    let exact = 0n;
    for (let at = this.at - 1; at >= start; at--) exact = (exact << 7n) | BigInt((this.bytes[at] as number) & 127);
    return BigInt.asUintN(64, exact);
  }

  /** An int64 or int32: negative numbers are ten bytes long. */
  signed(): number {
    const start = this.at;
    const value = this.varint();
    if (value <= Number.MAX_SAFE_INTEGER) return value;
    this.at = start;
    return Number(BigInt.asIntN(64, this.varint64()));
  }

  /** Steps over the length of a string, bytes or message field and answers where it ends. */
  lengthEnd(): number {
    const length = this.varint();
    if (length > this.end - this.at) throw truncated();
    return this.at + length;
  }

  skip(tag: number): void {
    const wireType = tag & 7;
    if (tag < 8 || tag > 0xffff_ffff) throw badRequest('The message is no protocol buffer: a field has no number.');
    if (wireType === VARINT) this.varint();
    else if (wireType === BYTES) this.at = this.lengthEnd();
    else if (wireType === FIXED64 || wireType === FIXED32) this.advance(wireType === FIXED64 ? 8 : 4);
    else throw badRequest(`The message is no protocol buffer: field ${tag >>> 3} has wire type ${wireType}.`);
  }

  /** Where the next `length` bytes begin, stepping over them. */
  advance(length: number): number {
    if (length > this.end - this.at) throw truncated();
    this.at += length;
    return this.at - length;
  }
}

export const truncated = () => badRequest('The message is cut off: it ends in the middle of a field.');

/** Bytes that `value` takes as a varint; up to 2^53. */
export function varintSize(value: number): number {
  let size = 1;
  for (let rest = value; rest > 127; rest = Math.floor(rest / 128)) size += 1;
  return size;
}

/** Writes a varint and answers where the next field begins. */
export function writeVarint(into: Uint8Array, at: number, value: number): number {
  let rest = value;
  let next = at;
  while (rest > 127) {
    into[next++] = (rest % 128) | 128;
    rest = Math.floor(rest / 128);
  }
  into[next++] = rest;
  return next;
}

/** A whole string, bytes or message field. */
export function field(number: number, content: Uint8Array | string): Buffer {
  const bytes = typeof content === 'string' ? Buffer.from(content) : content;
  const head = Buffer.allocUnsafe(varintSize(number * 8 + BYTES) + varintSize(bytes.length));
  writeVarint(head, writeVarint(head, 0, number * 8 + BYTES), bytes.length);
  return Buffer.concat([head, bytes]);
}

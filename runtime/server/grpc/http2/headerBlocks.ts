import { HpackDecoder } from './hpack/decoder.ts';
import { HpackError } from './hpack/integer.ts';
import type { HeaderField } from './hpack/staticTable.ts';
import { ConnectionError, ERROR, FLAG, HEADER_TABLE_BYTES } from './protocol.ts';

/** What the user of a connection makes of a header block. Equal blocks share one head: it must not be changed. */
export type ParseHead<Head> = (fields: readonly HeaderField[], tooLarge: boolean) => Head;

/** More frames than any honest block of the allowed size is cut into. */
const MOST_CONTINUATIONS = 16;
/**
 * A block that is longer than its fields may be is read all the same, up to so many times as long: the tables of both
 * sides stay equal, and only its own request is refused.
 */
const PATIENCE = 4;

/**
 * Puts header blocks together and reads them. Most requests of a connection have the very same block, byte for byte,
 * and it means the same while the table stands still: these are read once.
 */
export class HeaderBlocks<Head> {
  readonly #decoder: HpackDecoder;
  readonly #maxBytes: number;
  readonly #parse: ParseHead<Head>;
  #parts: Uint8Array[] | undefined;
  #partBytes = 0;
  #known: { readonly block: Uint8Array; readonly revision: number; readonly head: Head } | undefined;

  constructor(maxBytes: number, parse: ParseHead<Head>) {
    this.#maxBytes = maxBytes;
    this.#parse = parse;
    this.#decoder = new HpackDecoder(maxBytes, HEADER_TABLE_BYTES);
  }

  /** The block of a HEADERS frame; undefined when CONTINUATION frames follow. Throws ConnectionError. */
  headers(flags: number, bytes: Uint8Array, start: number, end: number): Head | undefined {
    let from = start;
    let to = end;
    if (flags & FLAG.padded) {
      to -= bytes[from] as number;
      from += 1;
    }
    if (flags & FLAG.priority) from += 5;
    if (from > to) throw new ConnectionError(ERROR.protocol, 'more padding than frame');
    if (flags & FLAG.endHeaders) return this.#head(bytes, from, to);
    this.#parts = [];
    this.#partBytes = 0;
    this.#keep(bytes, from, to);
    return undefined;
  }

  continuation(flags: number, bytes: Uint8Array, start: number, end: number): Head | undefined {
    this.#keep(bytes, start, end);
    if (!(flags & FLAG.endHeaders)) return undefined;
    const block = Buffer.concat(this.#parts as Uint8Array[]);
    this.#parts = undefined;
    return this.#head(block, 0, block.length);
  }

  #keep(bytes: Uint8Array, start: number, end: number): void {
    const parts = this.#parts as Uint8Array[];
    parts.push(bytes.slice(start, end));
    this.#partBytes += end - start;
    if (parts.length > MOST_CONTINUATIONS || this.#partBytes > PATIENCE * this.#maxBytes) {
      throw new ConnectionError(ERROR.enhanceYourCalm, 'a header block that is too large');
    }
  }

  #head(bytes: Uint8Array, start: number, end: number): Head {
    const known = this.#known;
    if (known && known.revision === this.#decoder.revision && isSame(known.block, bytes, start, end)) return known.head;
    const block = bytes.slice(start, end);
    const before = this.#decoder.revision;
    const { fields, tooLarge } = this.#decode(block);
    const head = this.#parse(fields, tooLarge);
    if (this.#decoder.revision === before) this.#known = { block, revision: before, head };
    return head;
  }

  #decode(block: Uint8Array) {
    try {
      return this.#decoder.decode(block);
    } catch (error) {
      if (error instanceof HpackError) throw new ConnectionError(ERROR.compression, error.message);
      throw error;
    }
  }
}

function isSame(block: Uint8Array, bytes: Uint8Array, start: number, end: number): boolean {
  if (block.length !== end - start) return false;
  for (let i = 0; i < block.length; i++) if (block[i] !== bytes[start + i]) return false;
  return true;
}

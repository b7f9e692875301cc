import { DynamicTable } from './dynamicTable.ts';
import { readHuffman } from './huffman.ts';
import { type Cursor, HpackError, readInteger } from './integer.ts';
import { type HeaderField, STATIC_TABLE } from './staticTable.ts';

export interface HeaderBlock {
  readonly fields: readonly HeaderField[];
  /** More than the limit: `fields` holds only the first, and the request must be refused. */
  readonly tooLarge: boolean;
}

/** Size of a field as both RFCs count it: the 32 stand for what keeping it costs. */
const sizeOfField = ({ name, value }: HeaderField): number => name.length + value.length + 32;

/**
 * Reads the header blocks of one connection, in their order (RFC 7541). `maxBytes` bounds what one block unfolds to:
 * a block of one-byte references to a long field is how a header bomb is built, so fields beyond it are not kept.
 */
export class HpackDecoder {
  readonly #table: DynamicTable;
  readonly #maxBytes: number;
  constructor(maxBytes: number, tableBytes: number) {
    this.#maxBytes = maxBytes;
    this.#table = new DynamicTable(tableBytes);
  }

  /** Grows with each field that the table takes or drops: an equal block means equal fields while it stands still. */
  get revision(): number {
    return this.#table.revision;
  }

  /** Throws HpackError; the connection is then at an end. */
  decode(bytes: Uint8Array): HeaderBlock {
    const cursor: Cursor = { bytes, at: 0, end: bytes.length };
    this.#readSizeUpdates(cursor);
    const fields: HeaderField[] = [];
    let size = 0;
    while (cursor.at < cursor.end) {
      const field = this.#readField(cursor);
      size += sizeOfField(field);
      if (size <= this.#maxBytes) fields.push(field);
    }
    return { fields, tooLarge: size > this.#maxBytes };
  }

  /** Only at the start of a block (section 4.2). */
  #readSizeUpdates(cursor: Cursor): void {
    while (cursor.at < cursor.end && ((cursor.bytes[cursor.at] as number) & 0xe0) === 0x20) {
      this.#table.resize(readInteger(cursor, 5));
    }
  }

  #readField(cursor: Cursor): HeaderField {
    if (cursor.at >= cursor.end) throw new HpackError('a header block that is cut off');
    const first = cursor.bytes[cursor.at] as number;
    if (first & 0x80) return this.#fieldAt(readInteger(cursor, 7));
    if (first & 0x40) {
      const field = this.#readLiteral(cursor, 6);
      this.#table.add(field, sizeOfField(field));
      return field;
    }
    if (first & 0x20) throw new HpackError('a change of the table size in the middle of a block');
    return this.#readLiteral(cursor, 4);
  }

  #readLiteral(cursor: Cursor, prefixBits: number): HeaderField {
    const index = readInteger(cursor, prefixBits);
    const name = index === 0 ? readText(cursor) : this.#fieldAt(index).name;
    return { name, value: readText(cursor) };
  }

  #fieldAt(index: number): HeaderField {
    const field =
      index <= STATIC_TABLE.length ? STATIC_TABLE[index - 1] : this.#table.at(index - STATIC_TABLE.length - 1);
    if (!field) throw new HpackError(`a reference to field ${index}, which there is not`);
    return field;
  }
}

function readText(cursor: Cursor): string {
  const coded = cursor.at < cursor.end && ((cursor.bytes[cursor.at] as number) & 0x80) !== 0;
  const length = readInteger(cursor, 7);
  const start = cursor.at;
  if (start + length > cursor.end) throw new HpackError('a string that is cut off');
  cursor.at = start + length;
  if (coded) return readHuffman(cursor.bytes, start, cursor.at);
  return Buffer.from(cursor.bytes.buffer, cursor.bytes.byteOffset + start, length).toString('latin1');
}

import { integerBytes } from './integer.ts';
import { type HeaderField, STATIC_TABLE } from './staticTable.ts';

/**
 * A header block that needs no memory on either side: known fields by their index, all others as they are. Without a
 * table of our own a block is the same on each connection, so that most are made once for the life of the server.
 * Values are ASCII.
 */
export const encodeHeaders = (fields: readonly HeaderField[]): Buffer =>
  Buffer.concat(fields.map((field) => encodeField(field)));

function encodeField({ name, value }: HeaderField): Buffer {
  const whole = STATIC_TABLE.findIndex((known) => known.name === name && known.value === value);
  if (whole >= 0) return Buffer.from(integerBytes(whole + 1, 7, 0x80));
  const named = STATIC_TABLE.findIndex((known) => known.name === name) + 1;
  const head = Buffer.from(integerBytes(named, 4, 0));
  return Buffer.concat([head, ...(named === 0 ? [text(name)] : []), text(value)]);
}

const text = (value: string): Buffer =>
  Buffer.concat([Buffer.from(integerBytes(value.length, 7, 0)), Buffer.from(value, 'latin1')]);

import { badRequest } from '../../requestError.ts';
import { readText } from './text.ts';
import { BYTES, FIXED64, VARINT, type WireCursor } from './wire.ts';

/** Values of `parameters`: integers are bigint, as protocol buffers have 64 bits. */
export type ParameterValue = boolean | bigint | number | string;
export type ReadParameters = Record<string, ParameterValue>;

/** Of one message, all its maps together: five million keys in 60 MB would take ten times that, and all callers would wait. */
const MOST_PARAMETERS = 16_384;

/** One entry of a map<string, InferParameter>, whose length the cursor stands before. */
export function readParameter(cursor: WireCursor, into: ReadParameters): void {
  cursor.parameters += 1;
  if (cursor.parameters > MOST_PARAMETERS) throw badRequest(`The message has more than ${MOST_PARAMETERS} parameters.`);
  const outer = cursor.end;
  cursor.end = cursor.lengthEnd();
  let key = '';
  let value: ParameterValue | undefined;
  while (cursor.at < cursor.end) {
    const tag = cursor.varint();
    if (tag === 0x0a) key = textField(cursor);
    else if (tag === 0x12) value = readValue(cursor);
    else cursor.skip(tag);
  }
  cursor.end = outer;
  if (value === undefined) throw badRequest(`Parameter "${key}" has no value; set one of its parameter_choice fields.`);
  Object.defineProperty(into, key, { value, enumerable: true, configurable: true, writable: true });
}

export function textField(cursor: WireCursor): string {
  const end = cursor.lengthEnd();
  const text = readText(cursor.bytes, cursor.at, end);
  cursor.at = end;
  return text;
}

/** InferParameter: bool_param = 1, int64_param = 2, string_param = 3, double_param = 4, uint64_param = 5. */
function readValue(cursor: WireCursor): ParameterValue | undefined {
  const outer = cursor.end;
  cursor.end = cursor.lengthEnd();
  let value: ParameterValue | undefined;
  while (cursor.at < cursor.end) {
    const tag = cursor.varint();
    if (tag === 8 + VARINT) value = cursor.varint() !== 0;
    else if (tag === 16 + VARINT) value = BigInt.asIntN(64, cursor.varint64());
    else if (tag === 24 + BYTES) value = textField(cursor);
    else if (tag === 32 + FIXED64) value = readDouble(cursor);
    else if (tag === 40 + VARINT) value = cursor.varint64();
    else cursor.skip(tag);
  }
  cursor.end = outer;
  return value;
}

function readDouble(cursor: WireCursor): number {
  const at = cursor.advance(8);
  return new DataView(cursor.bytes.buffer, cursor.bytes.byteOffset + at, 8).getFloat64(0, true);
}

import { ERROR, FLAG, FRAME, FRAME_HEADER_BYTES } from './protocol.ts';

/** Writes the nine bytes that stand before each frame. */
export function writeFrameHeader(
  into: Uint8Array,
  at: number,
  length: number,
  type: number,
  flags: number,
  stream: number,
): void {
  into[at] = length >>> 16;
  into[at + 1] = length >>> 8;
  into[at + 2] = length;
  into[at + 3] = type;
  into[at + 4] = flags;
  into[at + 5] = stream >>> 24;
  into[at + 6] = stream >>> 16;
  into[at + 7] = stream >>> 8;
  into[at + 8] = stream;
}

export function frame(type: number, flags: number, stream: number, payload: Uint8Array): Buffer {
  const bytes = Buffer.allocUnsafe(FRAME_HEADER_BYTES + payload.length);
  writeFrameHeader(bytes, 0, payload.length, type, flags, stream);
  bytes.set(payload, FRAME_HEADER_BYTES);
  return bytes;
}

const words = (...values: readonly number[]): Buffer => {
  const bytes = Buffer.allocUnsafe(4 * values.length);
  values.forEach((value, i) => {
    bytes.writeUInt32BE(value, 4 * i);
  });
  return bytes;
};

export const settingsFrame = (settings: readonly (readonly [number, number])[]): Buffer =>
  frame(
    FRAME.settings,
    0,
    0,
    Buffer.concat(settings.map(([name, value]) => Buffer.concat([Buffer.from([name >>> 8, name]), words(value)]))),
  );

export const SETTINGS_ACK = frame(FRAME.settings, FLAG.ack, 0, Buffer.alloc(0));

export const windowUpdateFrame = (stream: number, bytes: number): Buffer =>
  frame(FRAME.windowUpdate, 0, stream, words(bytes));

export const rstStreamFrame = (stream: number, code: number): Buffer => frame(FRAME.rstStream, 0, stream, words(code));

export const goawayFrame = (lastStream: number, code: number = ERROR.none, reason = ''): Buffer =>
  frame(FRAME.goaway, 0, 0, Buffer.concat([words(lastStream, code), Buffer.from(reason)]));

export const pingFrame = (flags: number, opaque: Uint8Array): Buffer => frame(FRAME.ping, flags, 0, opaque);

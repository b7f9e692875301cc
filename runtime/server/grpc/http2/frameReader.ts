import { ConnectionError, ERROR, FLAG, FRAME, FRAME_HEADER_BYTES } from './protocol.ts';

export interface FrameTarget {
  /** A whole frame but DATA, with its payload in bytes[start, end). Only good during the call. */
  frame(type: number, flags: number, stream: number, bytes: Uint8Array, start: number, end: number): void;
  /** A DATA frame begins that counts `length` bytes; its payload follows in one or more pieces. */
  dataStart(flags: number, stream: number, length: number): void;
  /** bytes[start, end) of the payload; `last` ends the frame. Only good during the call. */
  dataPiece(bytes: Uint8Array, start: number, end: number, last: boolean): void;
}

/**
 * Cuts what comes from a socket into frames. DATA is handed on as it comes, so that a large message is copied once, to
 * where it is put together; other frames are small and wait until they are whole.
 */
export class FrameReader {
  readonly #target: FrameTarget;
  readonly #maxFrame: number;
  /** A frame that is not whole yet, DATA excepted. */
  #rest: Uint8Array | undefined;
  /** Bytes of the current DATA frame that are still to come. */
  #dataLeft = 0;

  constructor(target: FrameTarget, maxFrame: number) {
    this.#target = target;
    this.#maxFrame = maxFrame;
  }

  /** Whether bytes of an unfinished frame are held. */
  get waiting(): boolean {
    return this.#rest !== undefined;
  }

  /** Throws ConnectionError: a frame larger than was allowed; and what the target throws. */
  push(chunk: Uint8Array): void {
    const rest = this.#rest;
    this.#rest = undefined;
    const bytes = rest === undefined ? chunk : Buffer.concat([rest, chunk]);
    let at = 0;
    while (at < bytes.length) {
      const next = this.#dataLeft > 0 ? this.#readData(bytes, at) : this.#readFrame(bytes, at);
      if (next === at) {
        this.#rest = rest === undefined ? Buffer.from(bytes.subarray(at)) : bytes.subarray(at);
        return;
      }
      at = next;
    }
  }

  #readData(bytes: Uint8Array, at: number): number {
    const end = Math.min(bytes.length, at + this.#dataLeft);
    this.#dataLeft -= end - at;
    this.#target.dataPiece(bytes, at, end, this.#dataLeft === 0);
    return end;
  }

  /** Where the next frame begins, or `at` when this one is not whole. */
  #readFrame(bytes: Uint8Array, at: number): number {
    const body = at + FRAME_HEADER_BYTES;
    if (bytes.length < body) return at;
    const length = ((bytes[at] as number) << 16) | ((bytes[at + 1] as number) << 8) | (bytes[at + 2] as number);
    if (length > this.#maxFrame) throw new ConnectionError(ERROR.frameSize, `a frame of ${length} bytes`);
    const type = bytes[at + 3] as number;
    const flags = bytes[at + 4] as number;
    const stream = streamOf(bytes, at + 5);
    const end = body + length;
    if (type === FRAME.data && !(flags & FLAG.padded)) {
      this.#target.dataStart(flags, stream, length);
      this.#dataLeft = length;
      if (length === 0) this.#target.dataPiece(bytes, body, body, true);
      return body;
    }
    if (bytes.length < end) return at;
    if (type === FRAME.data) this.#readPadded(flags, stream, bytes, body, end);
    else this.#target.frame(type, flags, stream, bytes, body, end);
    return end;
  }

  /** Padding is rare: such a frame waits until it is whole. All of it counts for the windows. */
  #readPadded(flags: number, stream: number, bytes: Uint8Array, start: number, end: number): void {
    const padding = bytes[start] as number;
    if (start === end || start + 1 + padding > end)
      throw new ConnectionError(ERROR.protocol, 'more padding than frame');
    this.#target.dataStart(flags, stream, end - start);
    this.#target.dataPiece(bytes, start + 1, end - padding, true);
  }
}

/** The highest bit is reserved and means nothing. */
const streamOf = (bytes: Uint8Array, at: number): number =>
  (((bytes[at] as number) & 0x7f) << 24) |
  ((bytes[at + 1] as number) << 16) |
  ((bytes[at + 2] as number) << 8) |
  (bytes[at + 3] as number);

import { Connection, type ConnectionLimits, type ConnectionUser } from '../connection.ts';
import { frame, settingsFrame } from '../frames.ts';
import { encodeHeaders } from '../hpack/encode.ts';
import type { HeaderField } from '../hpack/staticTable.ts';
import { FLAG, FRAME, FRAME_HEADER_BYTES, PREFACE } from '../protocol.ts';
import type { ServerStream, StreamUser } from '../stream.ts';
import { Unread } from '../unread.ts';

export interface SentFrame {
  readonly type: number;
  readonly flags: number;
  readonly stream: number;
  readonly payload: Buffer;
}

/** The frames in these bytes, which must be whole. */
export function framesIn(bytes: Buffer): readonly SentFrame[] {
  const frames: SentFrame[] = [];
  for (let at = 0; at < bytes.length; ) {
    const length = bytes.readUIntBE(at, 3);
    const start = at + FRAME_HEADER_BYTES;
    const payload = bytes.subarray(start, start + length);
    if (payload.length < length) throw new Error('the server sent half a frame');
    frames.push({
      type: bytes[at + 3] as number,
      flags: bytes[at + 4] as number,
      stream: bytes.readUInt32BE(at + 5),
      payload,
    });
    at = start + length;
  }
  return frames;
}

export const LIMITS: ConnectionLimits = {
  maxHeaderBytes: 16_384,
  maxStreams: 100,
  streamWindow: 1024 * 1024,
  connectionWindow: 4 * 1024 * 1024,
  unreadMs: 30_000,
  unread: new Unread(Number.POSITIVE_INFINITY, () => []),
};

/** What happened to one stream, as its user saw it. */
export interface Seen {
  readonly stream: ServerStream;
  readonly fields: readonly HeaderField[];
  body: Buffer;
  ended: boolean;
  gone: boolean;
}

/** A connection without a network: the test is the peer. */
export class Peer {
  readonly seen: Seen[] = [];
  readonly failures: unknown[] = [];
  readonly connection: Connection<readonly HeaderField[]>;
  ended = false;
  /** Whether the transport takes bytes; false: it has had enough. */
  takes = true;
  unsent = 0;
  #sent: Buffer = Buffer.alloc(0);

  constructor(limits: Partial<ConnectionLimits> = {}) {
    const user: ConnectionUser<readonly HeaderField[]> = {
      parseHead: (fields) => fields,
      open: (stream, fields, ended) => this.#open(stream, fields, ended),
      failed: (error) => this.failures.push(error),
    };
    const peer = this;
    const transport = {
      get unsent() {
        return peer.unsent;
      },
      write: (bytes: Buffer) => this.#take(bytes),
      end: () => {
        this.ended = true;
      },
    };
    this.connection = new Connection(transport, user, { ...LIMITS, ...limits });
  }

  /** Greets as a client does, then sends these bytes. */
  greet(...frames: readonly Uint8Array[]): this {
    return this.send(PREFACE, settingsFrame([]), ...frames);
  }

  send(...frames: readonly Uint8Array[]): this {
    this.connection.receive(Buffer.concat(frames));
    return this;
  }

  /** Frames that the server has sent since the last call. */
  async frames(): Promise<readonly SentFrame[]> {
    await new Promise((resolve) => setImmediate(resolve));
    const sent = this.#sent;
    this.#sent = Buffer.alloc(0);
    return framesIn(sent);
  }

  #take(bytes: Buffer): boolean {
    this.#sent = Buffer.concat([this.#sent, bytes]);
    if (!this.takes) this.unsent += bytes.length;
    return this.takes;
  }

  #open(stream: ServerStream, fields: readonly HeaderField[], ended: boolean): StreamUser {
    const seen: Seen = { stream, fields, body: Buffer.alloc(0), ended, gone: false };
    this.seen.push(seen);
    return {
      data(bytes, start, end, last) {
        seen.body = Buffer.concat([seen.body, bytes.subarray(start, end)]);
        seen.ended ||= last;
      },
      gone() {
        seen.gone = true;
      },
      tick() {},
      drain() {},
      abandon() {},
    };
  }
}

export const REQUEST = encodeHeaders([
  { name: ':method', value: 'POST' },
  { name: ':scheme', value: 'http' },
  { name: ':path', value: '/service/Method' },
  { name: 'content-type', value: 'application/grpc' },
]);

export const headers = (stream: number, flags: number = FLAG.endHeaders, block: Uint8Array = REQUEST): Buffer =>
  frame(FRAME.headers, flags, stream, block);

export const body = (stream: number, bytes: Uint8Array | string, flags = 0): Buffer =>
  frame(FRAME.data, flags, stream, Buffer.from(bytes));

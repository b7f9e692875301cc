import type { Calm } from './calm.ts';
import { rstStreamFrame, windowUpdateFrame, writeFrameHeader } from './frames.ts';
import { DEFAULT_MAX_FRAME, DEFAULT_WINDOW, FLAG, FRAME, FRAME_HEADER_BYTES as HEADER } from './protocol.ts';
import type { Outgoing, ServerStream } from './stream.ts';
import type { Unread } from './unread.ts';

/** The socket's side of a connection. */
export interface Wire {
  /** False: no more, please, until `unblocked` is called. */
  write(bytes: Buffer): boolean;
}

/** Beyond this the bytes of one turn of the event loop go out at once instead of at its end. */
const GATHERED = 256 * 1024;

/** A frame of DATA at most, whatever the peer would take: others wait for it. */
const MOST_DATA = 64 * 1024;

/** Where the body begins in the memory of `roomForWhole`. */
export const bodyOffset = (head: Buffer): number => HEADER + head.length + HEADER;

/**
 * What a connection sends. Frames of one turn of the event loop go out in one write, for a write is a system call and
 * costs more than all else about a small answer. DATA keeps to the peer's windows and to what the socket takes; streams
 * with more than that take turns, a frame each.
 */
export class Outbox {
  readonly #wire: Wire;
  readonly #calm: Calm;
  /** Told when a stream has nothing more to send. */
  readonly #ended: (stream: ServerStream) => void;
  #out: Buffer[] = [];
  #outBytes = 0;
  #scheduled = false;
  #blocked = false;
  readonly #waiting = new Set<ServerStream>();
  readonly #unread: Unread;
  #backlog = 0;
  window = DEFAULT_WINDOW;
  maxFrame = DEFAULT_MAX_FRAME;

  constructor(wire: Wire, calm: Calm, unread: Unread, ended: (stream: ServerStream) => void) {
    this.#wire = wire;
    this.#calm = calm;
    this.#unread = unread;
    this.#ended = ended;
  }

  /** Whether anything waits for the peer: its windows or its reading. */
  get stuck(): boolean {
    return this.#blocked || this.#waiting.size > 0;
  }

  /** Bytes of answers that wait for the peer. */
  get backlog(): number {
    return this.#backlog;
  }

  /** Of the streams that wait, the one with most. */
  get longest(): ServerStream | undefined {
    let found: ServerStream | undefined;
    for (const stream of this.#waiting) if (stream.backlog > (found?.backlog ?? 0)) found = stream;
    return found;
  }

  /** Bytes of frames that are written and not yet taken by the socket. */
  get gathered(): number {
    return this.#outBytes;
  }

  control(frame: Buffer): void {
    this.#out.push(frame);
    this.#outBytes += frame.length;
    if (this.#outBytes > GATHERED && !this.#blocked) return void this.flush();
    if (this.#scheduled) return;
    this.#scheduled = true;
    queueMicrotask(this.flush);
  }

  readonly flush = (): void => {
    this.#scheduled = false;
    const out = this.#out;
    if (out.length === 0) return;
    this.#out = [];
    this.#outBytes = 0;
    const taken = this.#wire.write(out.length === 1 ? (out[0] as Buffer) : Buffer.concat(out));
    if (!taken) this.#blocked = true;
  };

  unblocked(): void {
    this.#blocked = false;
    this.pump();
  }

  roomForWhole(stream: ServerStream, head: Buffer, bodyBytes: number, trailers: Buffer): Buffer | undefined {
    const free = !this.#blocked && stream.outgoing === undefined;
    if (!free || bodyBytes > Math.min(this.maxFrame, this.window, stream.sendWindow)) return undefined;
    const bytes = Buffer.allocUnsafe(3 * HEADER + head.length + bodyBytes + trailers.length);
    writeFrameHeader(bytes, 0, head.length, FRAME.headers, FLAG.endHeaders, stream.id);
    bytes.set(head, HEADER);
    writeFrameHeader(bytes, HEADER + head.length, bodyBytes, FRAME.data, 0, stream.id);
    const at = bodyOffset(head) + bodyBytes;
    writeFrameHeader(bytes, at, trailers.length, FRAME.headers, FLAG.endHeaders | FLAG.endStream, stream.id);
    bytes.set(trailers, at + HEADER);
    this.window -= bodyBytes;
    stream.sendWindow -= bodyBytes;
    return bytes;
  }

  sendWhole(stream: ServerStream, answer: Buffer): void {
    this.control(answer);
    this.#end(stream);
  }

  /** An answer of trailers alone is one HEADERS frame: its trailers begin with what else stands in `head`. */
  send(stream: ServerStream, head?: Buffer, body?: Uint8Array, trailers?: Buffer): void {
    if (stream.localEnded) return;
    stream.outgoing ??= { head: undefined, body: [], bodyBytes: 0, trailers: undefined };
    const { outgoing } = stream;
    if (head) outgoing.head = head;
    if (body && body.length > 0) {
      outgoing.body.push(body);
      outgoing.bodyBytes += body.length;
      this.#count(body.length);
    }
    if (trailers) outgoing.trailers = trailers;
    this.#waiting.add(stream);
    this.pump();
    this.#unread.look();
  }

  grant(stream: number, bytes: number): void {
    this.control(windowUpdateFrame(stream, bytes));
  }

  reset(stream: ServerStream, code: number): void {
    if (stream.localEnded && stream.remoteEnded) return;
    this.control(rstStreamFrame(stream.id, code));
    stream.remoteEnded = true;
    this.#end(stream);
  }

  /** The stream is of no more use to the peer. */
  forget(stream: ServerStream): void {
    this.#count(-stream.backlog);
    stream.outgoing = undefined;
    this.#waiting.delete(stream);
  }

  /** Sends what the windows and the socket allow. */
  pump(): void {
    let moved = true;
    while (moved && !this.#blocked) {
      moved = false;
      for (const stream of this.#waiting) {
        if (this.#blocked) return;
        if (this.#sendSome(stream, stream.outgoing as Outgoing)) moved = true;
      }
    }
  }

  /** At most one DATA frame of the stream, and what stands around it. */
  #sendSome(stream: ServerStream, outgoing: Outgoing): boolean {
    let moved = false;
    if (outgoing.head) {
      this.#headers(stream, outgoing.head, 0);
      outgoing.head = undefined;
      moved = true;
    }
    if (outgoing.bodyBytes > 0) moved = this.#sendData(stream, outgoing) || moved;
    if (outgoing.bodyBytes > 0) return moved;
    if (outgoing.trailers) {
      this.#headers(stream, outgoing.trailers, FLAG.endStream);
      this.#end(stream);
      return true;
    }
    this.forget(stream);
    return moved;
  }

  #sendData(stream: ServerStream, outgoing: Outgoing): boolean {
    const size = Math.min(outgoing.bodyBytes, this.maxFrame, this.window, stream.sendWindow, MOST_DATA);
    if (size <= 0) return false;
    const bytes = Buffer.allocUnsafe(HEADER + size);
    writeFrameHeader(bytes, 0, size, FRAME.data, 0, stream.id);
    takeFrom(outgoing, bytes, HEADER);
    this.#count(-size);
    stream.sent += size;
    this.window -= size;
    stream.sendWindow -= size;
    this.#calm.moved();
    this.control(bytes);
    return true;
  }

  #count(bytes: number): void {
    this.#backlog += bytes;
    this.#unread.bytes += bytes;
  }

  #headers(stream: ServerStream, block: Buffer, flags: number): void {
    const bytes = Buffer.allocUnsafe(HEADER + block.length);
    writeFrameHeader(bytes, 0, block.length, FRAME.headers, FLAG.endHeaders | flags, stream.id);
    bytes.set(block, HEADER);
    this.control(bytes);
  }

  #end(stream: ServerStream): void {
    stream.localEnded = true;
    this.forget(stream);
    this.#ended(stream);
  }
}

/** Moves bytes of the body to the end of `into`, from its first pieces on. */
function takeFrom(outgoing: Outgoing, into: Buffer, from: number): void {
  for (let at = from; at < into.length; ) {
    const piece = outgoing.body[0] as Uint8Array;
    const taken = Math.min(piece.length, into.length - at);
    into.set(piece.subarray(0, taken), at);
    at += taken;
    outgoing.bodyBytes -= taken;
    if (taken === piece.length) outgoing.body.shift();
    else outgoing.body[0] = piece.subarray(taken);
  }
}

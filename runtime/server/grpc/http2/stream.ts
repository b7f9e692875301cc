import type { Listed } from '../../roster.ts';
import type { Outbox } from './outbox.ts';

/** The side that answers one stream. */
export interface StreamUser {
  /** A piece of the body in bytes[start, end), only good during the call; `last` ends it. */
  data(bytes: Uint8Array, start: number, end: number, last: boolean): void;
  /** The peer gave the stream up, or the connection is lost: nobody reads an answer any more. */
  gone(): void;
  /** Called about once a second while the stream lives: `now` in milliseconds of the server's monotonic clock. */
  tick(now: number): void;
  /** The connection will take no more: a stream that would go on for ever ends when it has answered what it has. */
  drain(): void;
  /** The server can't wait any longer: the stream is to end now, with the reason. */
  abandon(): void;
}

/** What is waiting to be sent on a stream, in the order of sending. */
export interface Outgoing {
  head: Buffer | undefined;
  readonly body: Uint8Array[];
  bodyBytes: number;
  trailers: Buffer | undefined;
}

/** One request and its answer. Either side may end first; the stream is gone when both have. */
export class ServerStream implements Listed {
  place = -1;
  readonly id: number;
  readonly #outbox: Outbox;
  sendWindow: number;
  receiveWindow: number;
  remoteEnded: boolean;
  localEnded = false;
  outgoing: Outgoing | undefined;
  user: StreamUser | undefined;
  /** Bytes of bodies that have gone out. */
  sent = 0;
  /** What it was when it last rose, and when that was seen. */
  #seen = -1;
  #seenAt = 0;

  constructor(id: number, outbox: Outbox, sendWindow: number, receiveWindow: number, remoteEnded: boolean) {
    this.id = id;
    this.#outbox = outbox;
    this.sendWindow = sendWindow;
    this.receiveWindow = receiveWindow;
    this.remoteEnded = remoteEnded;
  }

  /** Bytes that are waiting for the peer to read. */
  get backlog(): number {
    return this.outgoing?.bodyBytes ?? 0;
  }

  /** Milliseconds, up to `now`, for which the peer has taken nothing of what waits for it. Called about once a second. */
  unreadFor(now: number): number {
    if (this.backlog === 0 || this.sent !== this.#seen) {
      this.#seen = this.backlog === 0 ? -1 : this.sent;
      this.#seenAt = now;
    }
    return now - this.#seenAt;
  }

  /**
   * The whole answer in one piece of memory, when the windows let it go at once: the caller writes `bodyBytes` bytes at
   * the offset answered by `bodyOffset` and then calls `sendWhole`. Undefined: send head, body and trailers one by one.
   */
  roomForWhole(head: Buffer, bodyBytes: number, trailers: Buffer): Buffer | undefined {
    return this.#outbox.roomForWhole(this, head, bodyBytes, trailers);
  }

  sendWhole(answer: Buffer): void {
    this.#outbox.sendWhole(this, answer);
  }

  send(head: Buffer | undefined, body: Uint8Array | undefined, trailers: Buffer | undefined): void {
    this.#outbox.send(this, head, body, trailers);
  }

  /** Lets the peer send so many bytes more than it already may. */
  grant(bytes: number): void {
    this.receiveWindow += bytes;
    this.#outbox.grant(this.id, bytes);
  }

  /** Ends the stream without an answer. */
  reset(code: number): void {
    this.#outbox.reset(this, code);
  }
}

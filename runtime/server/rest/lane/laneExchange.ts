import type { IncomingHttpHeaders } from 'node:http';
import type { Socket } from 'node:net';
import type { Exchange } from '../exchange.ts';
import type { Answer, ErrorAnswer, FlatHeaders } from '../wire.ts';

/** What an exchange needs of its connection. */
export interface Way {
  readonly socket: Socket;
  /** Whether a part of the body is still to come. */
  readonly isReading: boolean;
  /** Whether the server leaves, and with it every connection. */
  readonly leaving: boolean;
  /** Writes the one answer to the request that is open. */
  answer(answer: Answer, identity: FlatHeaders, last: boolean): void;
}

/** A request of the lane, and its answer. */
export class LaneExchange implements Exchange {
  readonly headers: IncomingHttpHeaders;
  readonly #way: Way;
  /** What came of the body with the head. */
  readonly #begun: Buffer;
  #piece: ((bytes: Buffer) => void) | undefined;
  #tell: (() => void) | undefined;
  #isLast = false;

  constructor(headers: IncomingHttpHeaders, begun: Buffer, way: Way) {
    this.headers = headers;
    this.#begun = begun;
    this.#way = way;
  }

  get socket(): Socket {
    return this.#way.socket;
  }

  get isWhole(): boolean {
    return !this.#way.isReading;
  }

  get isGone(): boolean {
    return this.socket.destroyed;
  }

  onClose(tell: () => void): void {
    this.#tell = tell;
  }

  /** The caller is gone. */
  close(): void {
    this.#tell?.();
  }

  endBehind(): void {
    this.#isLast = true;
  }

  read(piece: (bytes: Buffer) => void): void {
    this.#piece = piece;
    if (this.#begun.length > 0) piece(this.#begun);
  }

  /** More of the body has come; dropped where nobody reads it any more. */
  came(bytes: Buffer): void {
    this.#piece?.(bytes);
  }

  pause(): void {
    this.socket.pause();
  }

  resume(): void {
    this.socket.resume();
  }

  send(answer: Answer, identity: FlatHeaders, last: boolean): void {
    this.#way.answer(answer, identity, last || this.#isLast);
  }

  /** What is still to come of the body is small, and read and dropped by the connection. */
  sendEarly(answer: ErrorAnswer, identity: FlatHeaders): void {
    this.#way.answer(answer, identity, this.#isLast || this.#way.leaving);
  }
}

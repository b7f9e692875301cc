import type { IncomingHttpHeaders } from 'node:http';
import type { Socket } from 'node:net';
import type { Answer, ErrorAnswer, FlatHeaders } from './wire.ts';

/** The body of one request, as it comes. */
export interface BodySource {
  readonly headers: IncomingHttpHeaders;
  /** Tells of each piece of the body, and of its end where somebody asks. Nothing is read before it is called. */
  read(piece: (bytes: Buffer) => void, end: (() => void) | undefined): void;
  pause(): void;
  resume(): void;
}

/** One request and the way back to its caller, whatever read it from the wire: all that a call knows of HTTP. */
export interface Exchange extends BodySource {
  readonly socket: Socket;
  /** Whether every byte of the request has come, read or not. */
  readonly isWhole: boolean;
  /** Whether nothing that is sent arrives any more. */
  readonly isGone: boolean;
  /** Tells once that nothing more is to be sent: the caller has all of its answer, or is gone. */
  onClose(tell: () => void): void;
  /** Closes the connection behind the answer that is to come, for what follows on it can't be understood. */
  endBehind(): void;
  /** Answers a request that was read to its end. `last`: the connection is to be closed behind it. */
  send(answer: Answer, identity: FlatHeaders, last: boolean): void;
  /** Answers a request of whose body `rest` bytes were not read, Infinity where nobody knows. */
  sendEarly(answer: ErrorAnswer, identity: FlatHeaders, rest: number): void;
}

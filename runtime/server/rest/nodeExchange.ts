import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { BodySource, Exchange } from './exchange.ts';
import { type Answer, type ErrorAnswer, type FlatHeaders, type Port, send, sendEarly } from './wire.ts';

/** The body of a request that node:http reads. */
export class NodeBody implements BodySource {
  readonly request: IncomingMessage;

  constructor(request: IncomingMessage) {
    this.request = request;
  }

  get headers(): IncomingHttpHeaders {
    return this.request.headers;
  }

  read(piece: (bytes: Buffer) => void, end: (() => void) | undefined): void {
    this.request.on('data', piece);
    if (end) this.request.on('end', end);
  }

  pause(): void {
    this.request.pause();
  }

  resume(): void {
    this.request.resume();
  }
}

/** A request that node:http reads, and its answer. */
export class NodeExchange extends NodeBody implements Exchange {
  readonly response: ServerResponse;
  readonly #port: Port;

  constructor(request: IncomingMessage, response: ServerResponse, port: Port) {
    super(request);
    this.response = response;
    this.#port = port;
  }

  get socket(): Socket {
    return this.request.socket;
  }

  get isWhole(): boolean {
    return this.request.complete;
  }

  get isGone(): boolean {
    return this.response.destroyed;
  }

  onClose(tell: () => void): void {
    this.response.on('close', tell);
  }

  endBehind(): void {
    this.response.shouldKeepAlive = false;
  }

  send(answer: Answer, identity: FlatHeaders, last: boolean): void {
    send(this.response, answer, identity, last);
  }

  sendEarly(answer: ErrorAnswer, identity: FlatHeaders, rest: number): void {
    sendEarly(this.request, this.response, answer, identity, rest, this.#port);
  }
}

import type { Agent, ClientRequest, IncomingMessage } from 'node:http';
import { http } from '../nodeHttp.ts';
import { type FlatHeaders, headersBack } from './headers.ts';

/** A request on its way to the other arm. */
export interface Question {
  readonly url: URL;
  readonly path: string;
  readonly headers: FlatHeaders;
  readonly body: Buffer;
}

/** The other arm's answer. A large body is still coming. */
export interface PassedAnswer {
  readonly status: number;
  readonly headers: FlatHeaders;
  readonly body: Buffer | IncomingMessage;
}

/** Called in exactly one way, once, later than the request was made; in none after `abort`. */
export interface PassageTaker {
  answered(answer: PassedAnswer): void;
  /** No whole answer: the request may be answered elsewhere. `slow`: because no connection came about in time. */
  failed(slow: boolean): void;
}

/** An answer of up to this size is read whole before any of it is sent, so that one that breaks off costs nobody theirs. */
const SMALL_ANSWER = 256 * 1024;
/** A connection in a cluster takes a millisecond; a lost SYN is sent again only after a second. */
export const CONNECT_MS = 500;

/** One request brought to the other arm. */
export class Passage {
  readonly #agent: Agent;
  readonly #question: Question;
  readonly #taker: PassageTaker;
  #outgoing: ClientRequest;
  #timer: NodeJS.Timeout | undefined;
  #over = false;

  constructor(agent: Agent, question: Question, taker: PassageTaker) {
    this.#agent = agent;
    this.#question = question;
    this.#taker = taker;
    this.#outgoing = this.#ask(true);
  }

  /** The caller is gone or has its answer. */
  abort(): void {
    this.#over = true;
    clearTimeout(this.#timer);
    this.#outgoing.destroy();
  }

  #ask(mayAskAgain: boolean): ClientRequest {
    const { url, path, headers, body } = this.#question;
    const { hostname: host, port } = url;
    const outgoing = http.request({ agent: this.#agent, host, port, method: 'POST', path, headers });
    const state = { slow: false, answered: false };
    this.#timer = setTimeout(() => {
      state.slow = true;
      outgoing.destroy(new Error('no connection in time'));
    }, CONNECT_MS);
    const connected = () => clearTimeout(this.#timer);
    outgoing.on('socket', (socket) => (socket.connecting ? socket.once('connect', connected) : connected()));
    outgoing.on('error', (error) => {
      const closedMeanwhile = outgoing.reusedSocket && !state.answered && isReset(error);
      if (closedMeanwhile && mayAskAgain && !this.#over) this.#outgoing = this.#ask(false);
      else this.#fail(state.slow);
    });
    outgoing.on('response', (answer) => {
      state.answered = true;
      this.#read(answer);
    });
    outgoing.end(body);
    return outgoing;
  }

  #read(answer: IncomingMessage): void {
    const length = Number(answer.headers['content-length'] ?? Number.POSITIVE_INFINITY);
    if (length > SMALL_ANSWER) return void this.#bring(answer, answer);
    const chunks: Buffer[] = [];
    answer.on('data', (chunk: Buffer) => chunks.push(chunk));
    answer.on('error', () => this.#fail(false));
    answer.on('end', () => this.#bring(answer, Buffer.concat(chunks)));
  }

  #bring(answer: IncomingMessage, body: PassedAnswer['body']): void {
    if (!this.#end()) return;
    this.#taker.answered({ status: answer.statusCode as number, headers: headersBack(answer), body });
  }

  #fail(slow: boolean): void {
    if (this.#end()) this.#taker.failed(slow);
  }

  #end(): boolean {
    if (this.#over) return false;
    this.#over = true;
    clearTimeout(this.#timer);
    return true;
  }
}

/** A kept connection that the other side closed just as it was used again. */
const isReset = (error: NodeJS.ErrnoException): boolean => error.code === 'ECONNRESET' || error.code === 'EPIPE';

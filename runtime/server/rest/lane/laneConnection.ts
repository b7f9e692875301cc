import type { Socket } from 'node:net';
import type { Listed } from '../../roster.ts';
import type { Answer, FlatHeaders } from '../wire.ts';
import type { AnswerHeads } from './answerHead.ts';
import { LaneExchange, type Way } from './laneExchange.ts';
import { beginsWith, type PlainHead, plainHeadIn } from './plainHead.ts';

/** What all connections of a lane share. */
export interface LaneRules {
  readonly heads: AnswerHeads;
  /** Requests that are larger than one of these are no matter of the lane. */
  readonly mostHeadBytes: number;
  readonly mostBodyBytes: number;
  /** How long a caller may take not a byte of an answer that does not fit into the buffers of the system. */
  readonly silenceMs: number;
  /** The number of the sweep that is to come: a clock that costs nothing to read. */
  readonly sweep: () => number;
  readonly leaving: () => boolean;
  /** Starts to answer. False: this is no question to a model that is here. */
  answer(target: string, exchange: LaneExchange): boolean;
  /** The connection is no more. */
  gone(connection: LaneConnection): void;
  /** Breaks off the call that is being read on this socket: its caller has ended the request in its middle, or is too slow. */
  breakOff(socket: Socket, why: 'Ended' | 'Late'): void;
  /** Gives the connection to node:http, for good; `unread` are bytes that nobody has looked at. */
  leave(connection: LaneConnection, unread: Buffer | undefined): void;
}

/** Bytes behind a request that is not answered yet; whoever sends more waits. */
const MOST_HELD = 64 * 1024;

/**
 * One connection as long as each request on it is plain and comes alone. The first bytes that are anything else take it to
 * node:http with all that nobody has answered: every doubt is that one's to settle.
 */
export class LaneConnection implements Listed, Way {
  place = -1;
  readonly socket: Socket;
  readonly #rules: LaneRules;
  readonly #listeners = {
    data: (bytes: Buffer) => this.#came(bytes),
    end: () => this.#ended(),
    close: () => this.#closed(),
    timeout: () => this.socket.destroy(),
    error: () => undefined, // the close that follows says all that there is to say
  } as const;
  #head: PlainHead | undefined;
  /** The request that is not answered. */
  #exchange: LaneExchange | undefined;
  /** Bytes of the body that are still to come, whether somebody waits for them or not. */
  #due = 0;
  /** Bytes behind the request. */
  #held: Buffer | undefined;
  /** Who gets what is due. */
  #reading: LaneExchange | undefined;
  /** Nothing more is written. */
  #isOver = false;
  /** The sweep at which a request or an answer began. */
  #movedAt: number;
  #isFresh = true;

  constructor(socket: Socket, rules: LaneRules) {
    this.socket = socket;
    this.#rules = rules;
    this.#movedAt = rules.sweep();
    for (const [event, listener] of Object.entries(this.#listeners)) socket.on(event, listener);
  }

  get leaving(): boolean {
    return this.#rules.leaving();
  }

  /** Whether nothing is owed on either side. A connection on which nothing was ever asked is about to ask. */
  get isIdle(): boolean {
    return !this.#isFresh && !this.#exchange && this.#due === 0 && this.socket.writableLength === 0;
  }

  get isFresh(): boolean {
    return this.#isFresh;
  }

  get isReading(): boolean {
    return this.#due > 0;
  }

  /** Sweeps since a request or an answer began. */
  get age(): number {
    return this.#rules.sweep() - this.#movedAt;
  }

  /** Whether a request is not answered. */
  get isAnswering(): boolean {
    return this.#exchange !== undefined;
  }

  /** Listens no longer. */
  release(): void {
    for (const [event, listener] of Object.entries(this.#listeners)) this.socket.removeListener(event, listener);
  }

  answer({ status, headers, body }: Answer, identity: FlatHeaders, last: boolean): void {
    this.#exchange = undefined;
    this.#movedAt = this.#rules.sweep();
    if (this.#isOver) return;
    if (typeof body === 'string') this.#write(status, headers, body, identity, last);
    else this.#writeChunks(status, headers, body, identity, last);
    if (this.socket.writableLength > 0) this.socket.setTimeout(this.#rules.silenceMs);
    if (last) this.#end();
    else if (this.#held) this.#rules.leave(this, this.#held);
  }

  /** One string, one write: what is ASCII alone is written as it is. */
  #write(status: number, headers: FlatHeaders, body: string, identity: FlatHeaders, last: boolean): void {
    const length = Buffer.byteLength(body);
    const head = this.#rules.heads.of(status, headers, length, identity, last);
    this.socket.write(head + body, length === body.length ? 'latin1' : 'utf8');
  }

  #writeChunks(
    status: number,
    headers: FlatHeaders,
    chunks: readonly Uint8Array[],
    identity: FlatHeaders,
    last: boolean,
  ): void {
    const bytes = chunks.reduce((sum, { length }) => sum + length, 0);
    this.socket.cork();
    this.socket.write(this.#rules.heads.of(status, headers, bytes, identity, last), 'latin1');
    for (const chunk of chunks) this.socket.write(chunk);
    this.socket.uncork();
  }

  #came(bytes: Buffer): void {
    if (this.#isOver) return;
    if (this.#due > 0) this.#more(bytes);
    else if (this.#exchange) this.#hold(bytes);
    else if (this.socket.writableLength > 0) this.#rules.leave(this, bytes);
    else this.#begin(bytes);
  }

  #begin(bytes: Buffer): void {
    const head = this.#headIn(bytes);
    const due = head ? head.bodyBytes - (bytes.length - head.text.length) : -1;
    if (!head || due < 0) return void this.#rules.leave(this, bytes);
    const exchange = new LaneExchange(head.headers, bytes.subarray(head.text.length), this);
    this.#exchange = exchange;
    this.#reading = due > 0 ? exchange : undefined;
    this.#due = due;
    this.#movedAt = this.#rules.sweep();
    this.#isFresh = false;
    if (this.#rules.answer(head.target, exchange)) return;
    this.#rules.leave(this, bytes);
  }

  #headIn(bytes: Buffer): PlainHead | undefined {
    if (this.#head && beginsWith(bytes, this.#head)) return this.#head;
    const head = plainHeadIn(bytes);
    if (!head) return undefined;
    const { mostHeadBytes, mostBodyBytes } = this.#rules;
    if (head.text.length > mostHeadBytes || head.bodyBytes > mostBodyBytes) return undefined;
    this.#head = head;
    return head;
  }

  #more(bytes: Buffer): void {
    const own = bytes.length <= this.#due ? bytes : bytes.subarray(0, this.#due);
    const reading = this.#reading;
    this.#due -= own.length;
    if (this.#due === 0) this.#reading = undefined;
    reading?.came(own);
    if (own.length < bytes.length) this.#came(bytes.subarray(own.length));
  }

  #hold(bytes: Buffer): void {
    this.#held = this.#held ? Buffer.concat([this.#held, bytes]) : bytes;
    if (this.#held.length > MOST_HELD) this.socket.pause();
  }

  /** Whoever sends no more is not answered either, as node:http has it, but is told if the request was not whole. */
  #ended(): void {
    if (this.#exchange && this.#due > 0) this.#rules.breakOff(this.socket, 'Ended');
    else {
      this.#isOver = true;
      this.socket.end();
    }
  }

  #closed(): void {
    this.#exchange?.close();
    this.#rules.gone(this);
  }

  #end(): void {
    this.#isOver = true;
    this.socket.destroySoon();
  }
}

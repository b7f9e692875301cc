import type { BodyRooms } from '../protocol/parser/bodyRooms.ts';
import type { RequestError } from '../requestError.ts';
import type { BodyGate, BodyTicket } from './bodyGate.ts';
import { type Encoding, encodingOf, tooLarge, unpacked } from './contentEncoding.ts';
import type { BodySource } from './exchange.ts';
import { Pieces } from './pieces.ts';

/** Bodies up to this size never wait: what small requests hold is bounded by the number of connections. */
export const LARGE = 256 * 1024;

export interface BodyRules {
  /** Bytes of a body at most, unpacked. */
  readonly limit: number;
  readonly gate: BodyGate;
  /** Memory for large bodies, given back when the call is over. */
  readonly rooms: BodyRooms;
}

export interface BodyTaker {
  /** Every byte is there. Called at most once, and not after a fault or `abandon`. */
  received(body: Buffer): void;
  /** The body is refused; `unread` bytes of it may still come. */
  refused(fault: RequestError): void;
}

const NOTHING = Buffer.alloc(0);

/**
 * Reads one request body. A small one that came in one piece is taken as it is, without a copy; a large one waits for
 * its turn at the gate before a byte of it is read, and then goes into memory of exactly its size.
 */
export class Reading {
  readonly #source: BodySource;
  readonly #rules: BodyRules;
  readonly #taker: BodyTaker;
  /** Bytes that Content-Length says; undefined when the body comes in chunks of unknown number. */
  readonly #declared: number | undefined;
  #encoding: Encoding | undefined;
  #ticket: BodyTicket | undefined;
  #waiting = false;
  #over = false;
  #complete = false;
  #size = 0;
  #whole: Buffer | undefined;
  #pieces: Pieces | undefined;

  constructor(source: BodySource, rules: BodyRules, taker: BodyTaker) {
    this.#source = source;
    this.#rules = rules;
    this.#taker = taker;
    this.#declared = declaredLength(source);
  }

  /** Whether every byte has come, or none was announced. */
  get complete(): boolean {
    return this.#complete || this.#declared === 0;
  }

  /** Whether the body stands in the queue before the gate: its lateness is not the caller's fault. */
  get waiting(): boolean {
    return this.#waiting;
  }

  /** Bytes that are still to come, as far as is known. */
  get unread(): number {
    return this.complete ? 0 : (this.#declared ?? Number.POSITIVE_INFINITY) - this.#size;
  }

  /** `ask` is called when the body has its turn, where the caller waits for that. */
  start(ask?: () => void): void {
    const { limit } = this.#rules;
    const declared = this.#declared ?? 0;
    try {
      const encoding = this.#source.headers['content-encoding'];
      if (encoding !== undefined) this.#encoding = encodingOf(encoding);
    } catch (fault) {
      return void this.#refuse(fault as RequestError);
    }
    if (declared > limit) return void this.#refuse(tooLarge(limit));
    if (this.#declared === 0) return void this.#end(NOTHING);
    const read = () => {
      ask?.();
      this.#read();
    };
    if (declared <= LARGE) return void read();
    this.#pass(this.#encoding ? limit : declared, read);
  }

  /** Stops: the caller is gone or has its answer. Gives back the room of the body; later bytes are nobody's. */
  abandon(): void {
    this.#over = true;
    this.#pieces = undefined;
    this.#ticket?.giveBack();
    if (this.#whole) this.#rules.rooms.give(this.#whole);
    this.#whole = undefined;
  }

  #pass(bytes: number, then: () => void): void {
    this.#waiting = true;
    this.#ticket = this.#rules.gate.ask(bytes, () => {
      this.#waiting = false;
      then();
    });
  }

  #read(): void {
    this.#source.read(
      (chunk) => this.#take(chunk),
      this.#declared === undefined ? () => this.#endOfChunks() : undefined,
    );
  }

  #take(chunk: Buffer): void {
    if (this.#over || this.#complete) return;
    this.#size += chunk.length;
    if (this.#declared === undefined) return void this.#takeOfUnknown(chunk);
    if (chunk.length === this.#declared) return void this.#end(chunk);
    this.#whole ??= this.#roomFor(this.#declared);
    this.#ticket?.came(chunk.length);
    this.#whole.set(chunk, this.#size - chunk.length);
    freeNow(chunk);
    if (this.#size === this.#declared) this.#end(this.#whole);
  }

  /** zlib takes no shared memory. */
  #roomFor(bytes: number): Buffer {
    const isShared = bytes > LARGE && !this.#encoding;
    return isShared ? this.#rules.rooms.take(bytes) : Buffer.allocUnsafeSlow(bytes);
  }

  #takeOfUnknown(chunk: Buffer): void {
    const { limit } = this.#rules;
    if (this.#size > limit) return void this.#refuse(tooLarge(limit));
    this.#pieces ??= new Pieces();
    this.#pieces.add(chunk);
    this.#ticket?.came(chunk.length);
    if (this.#size <= LARGE || this.#ticket) return;
    this.#source.pause();
    this.#pass(limit, () => this.#source.resume());
  }

  #endOfChunks(): void {
    if (this.#over) return;
    this.#end(this.#pieces?.whole() ?? NOTHING);
  }

  #end(body: Buffer): void {
    this.#complete = true;
    this.#pieces = undefined;
    if (this.#encoding) return void this.#unpack(body, this.#encoding);
    this.#ticket?.shrink(body.length);
    this.#taker.received(body);
  }

  /** What unpacking can need is asked for first: many small bodies must not become many large ones at once. */
  #unpack(body: Buffer, encoding: Encoding): void {
    const most = Math.min(this.#rules.limit, body.length * encoding.mostRatio);
    const unpack = () => void this.#unpackNow(body, encoding);
    if (this.#ticket || most <= LARGE) unpack();
    else this.#pass(most, unpack);
  }

  async #unpackNow(body: Buffer, encoding: Encoding): Promise<void> {
    try {
      const whole = await unpacked(body, encoding, this.#rules.limit);
      if (this.#over) return;
      this.#ticket?.shrink(whole.length);
      this.#taker.received(whole);
    } catch (fault) {
      this.#refuse(fault as RequestError);
    }
  }

  #refuse(fault: RequestError): void {
    if (this.#over) return;
    this.abandon();
    this.#taker.refused(fault);
  }
}

/**
 * Gives back the memory of a piece of a body that has been copied. Left to the collector, the pieces of one body of 3 MB
 * bring a full collection for every few requests (measured: a third of the busy time of this thread).
 */
function freeNow({ buffer, length }: Buffer): void {
  if (buffer instanceof ArrayBuffer && buffer.byteLength === length) buffer.transfer(0);
}

function declaredLength({ headers }: BodySource): number | undefined {
  const length = headers['content-length'];
  if (length !== undefined) return Number(length);
  return headers['transfer-encoding'] === undefined ? 0 : undefined;
}

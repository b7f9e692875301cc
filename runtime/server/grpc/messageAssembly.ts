import { badRequest, RequestError } from '../requestError.ts';
import type { BodyGate, BodyTicket } from '../rest/bodyGate.ts';
import type { BufferPool } from './bufferPool.ts';
import type { ServerStream } from './http2/stream.ts';
import { tooLarge } from './packing.ts';

/** A flag byte and a length of four bytes stand before each message. */
export const PREFIX_BYTES = 5;

/** Room for a message that has begun, until as much of it has come: a prefix alone must not take a megabyte. */
const FIRST_BYTES = 32 * 1024;

/** What the messages of all connections that are not whole yet may take together. */
export interface ReadingRules {
  readonly gate: BodyGate;
  readonly pool: BufferPool;
  readonly maxMessageBytes: number;
  /** What a stream may send unasked. Larger messages wait at the gate for the rest. */
  readonly streamWindow: number;
  /** Bound of what lies here unasked. */
  readonly maxUnaskedBytes: number;
  /** Bytes of unfinished messages that nobody was asked for. */
  unasked: number;
}

/**
 * A whole message in memory[0, length). Undefined: it has been read, and the memory is used again at once; else it is
 * needed until the promise resolves, which must not reject. `hasRoom`: what it may unpack to has been asked for.
 */
export type TakeMessage = (
  memory: Buffer,
  length: number,
  packed: boolean,
  hasRoom: boolean,
) => Promise<void> | undefined;

/**
 * Puts the messages of a stream together. Small ones come in whether they are wanted or not and are counted; a large one
 * gets its window only when the gate lets it in, so that many large messages are read in turn and not all by halves.
 */
export class MessageAssembly {
  readonly #stream: ServerStream;
  readonly #rules: ReadingRules;
  readonly #take: TakeMessage;
  readonly #prefix = Buffer.allocUnsafe(PREFIX_BYTES);
  #prefixed = 0;
  #begun = 0;
  #body: Buffer | undefined;
  #length = 0;
  #filled = 0;
  #unasked = 0;
  #ticket: BodyTicket | undefined;
  #atGate = false;
  /** Messages that are whole and not read yet. */
  #kept = 0;
  #over = false;
  /** Window that the stream has used up and not got back. */
  #used = 0;

  constructor(stream: ServerStream, rules: ReadingRules, take: TakeMessage) {
    this.#stream = stream;
    this.#rules = rules;
    this.#take = take;
  }

  /** The number of the message that has begun and is not whole; 0 when there is none. */
  get partial(): number {
    return this.#prefixed > 0 ? this.#begun : 0;
  }

  /** The peer may not send: it is not its fault that the message is not whole. */
  get atGate(): boolean {
    return this.#atGate || this.#kept > 0;
  }

  /** Bytes of the stream, in order. Throws RequestError 400, 413, 503. */
  push(bytes: Uint8Array, start: number, end: number): void {
    let at = start;
    while (at < end) {
      at = this.#body ? this.#fill(this.#body, bytes, at, end) : this.#readPrefix(bytes, at, end);
      if (this.#body && this.#filled === this.#length) this.#finish(this.#body);
    }
  }

  /** The stream is over: what is held is given back. */
  dispose(): void {
    this.#over = true;
    this.#forget();
    if (this.#body) this.#rules.pool.give(this.#body);
    this.#body = undefined;
  }

  /** The message under way is no more. */
  #forget(): void {
    this.#rules.unasked -= this.#unasked;
    this.#unasked = 0;
    this.#ticket?.giveBack();
    this.#ticket = undefined;
    this.#atGate = false;
    this.#prefixed = 0;
  }

  #readPrefix(bytes: Uint8Array, start: number, end: number): number {
    let at = start;
    if (this.#prefixed === 0) this.#begun += 1;
    while (at < end && this.#prefixed < PREFIX_BYTES) this.#prefix[this.#prefixed++] = bytes[at++] as number;
    if (this.#prefixed === PREFIX_BYTES) this.#begin(this.#prefix.readUInt32BE(1));
    return at;
  }

  #begin(length: number): void {
    const { maxMessageBytes, streamWindow } = this.#rules;
    checkFlag(this.#prefix[0] as number);
    if (length > maxMessageBytes) throw tooLarge(maxMessageBytes);
    this.#length = length;
    this.#filled = 0;
    this.#body = this.#rules.pool.take(Math.min(length, FIRST_BYTES));
    if (length > streamWindow) this.#askGate();
  }

  #askGate(): void {
    this.#atGate = true;
    const isPacked = this.#prefix[0] === 1;
    this.#ticket = this.#rules.gate.ask(isPacked ? this.#rules.maxMessageBytes : this.#length, () => {
      this.#atGate = false;
      const whole = this.#rules.pool.take(this.#length);
      const first = this.#body as Buffer;
      whole.set(first.subarray(0, this.#filled));
      this.#rules.pool.give(first);
      this.#body = whole;
      this.#rules.unasked -= this.#unasked;
      this.#unasked = 0;
      this.#grant(this.#length);
    });
  }

  #grant(bytes: number): void {
    this.#used -= bytes;
    this.#stream.grant(bytes);
  }

  #fill(body: Buffer, bytes: Uint8Array, start: number, end: number): number {
    const wanted = Math.min(end - start, this.#length - this.#filled);
    if (!this.#ticket || this.#atGate) this.#countUnasked(wanted);
    const roomy = this.#filled + wanted > body.length ? this.#grow(body) : body;
    if (this.#filled + wanted > roomy.length) throw tooLarge(roomy.length);
    roomy.set(bytes.subarray(start, start + wanted), this.#filled);
    this.#filled += wanted;
    return start + wanted;
  }

  /** What has come is counted, not what a prefix says: a hundred callers that send 15 bytes must not take all room. */
  #countUnasked(bytes: number): void {
    if (this.#rules.unasked + bytes > this.#rules.maxUnaskedBytes) {
      throw new RequestError(503, 'Too many requests are being read; come again in a moment.', { 'retry-after': '1' });
    }
    this.#unasked += bytes;
    this.#rules.unasked += bytes;
  }

  /** Room for all of the message that the stream may send unasked. */
  #grow(first: Buffer): Buffer {
    const { pool, streamWindow } = this.#rules;
    const most = Math.min(this.#length, streamWindow);
    if (first.length >= most) return first;
    const whole = pool.take(most);
    whole.set(first.subarray(0, this.#filled));
    pool.give(first);
    this.#body = whole;
    return whole;
  }

  #finish(body: Buffer): void {
    this.#used += PREFIX_BYTES + this.#length;
    this.#body = undefined;
    this.#prefixed = 0;
    const hasRoom = this.#ticket !== undefined;
    try {
      const needed = this.#take(body, this.#length, this.#prefix[0] === 1, hasRoom);
      if (needed) this.#keep(needed);
      else this.#rules.pool.give(body);
    } finally {
      this.#forget();
    }
    this.#widen();
  }

  /** What a message takes stays counted for as long as it is here, even when its call is over. */
  #keep(needed: Promise<void>): void {
    const unasked = this.#unasked;
    const ticket = this.#ticket;
    this.#unasked = 0;
    this.#ticket = undefined;
    this.#kept += 1;
    needed.then(() => {
      this.#kept -= 1;
      this.#rules.unasked -= unasked;
      ticket?.giveBack();
      this.#widen();
    });
  }

  /** Nothing more comes while messages wait to be read: else a stream could fill the memory faster than it is unpacked. */
  #widen(): void {
    if (this.#over || this.#kept > 0 || this.#stream.remoteEnded) return;
    if (this.#used > this.#rules.streamWindow / 2) this.#grant(this.#used);
  }
}

export function checkFlag(flag: number): void {
  if (flag > 1) throw badRequest(`A message begins with the byte ${flag}; 0 is plain and 1 is packed.`);
}

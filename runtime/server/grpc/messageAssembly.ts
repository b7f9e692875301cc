import { badRequest, RequestError } from '../requestError.ts';
import type { BodyGate, BodyTicket } from '../rest/bodyGate.ts';
import type { BufferPool } from './bufferPool.ts';
import type { ServerStream } from './http2/stream.ts';
import { tooLarge } from './packing.ts';

/** A flag byte and a length of four bytes stand before each message. */
export const PREFIX_BYTES = 5;

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

/** A whole message in memory[0, length). True: the memory is still needed; else it is used again at once. */
export type TakeMessage = (memory: Buffer, length: number, packed: boolean) => boolean;

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
    return this.#atGate;
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
    this.#rules.unasked -= this.#unasked;
    this.#unasked = 0;
    this.#ticket?.giveBack();
    this.#ticket = undefined;
    this.#atGate = false;
    if (this.#body) this.#rules.pool.give(this.#body);
    this.#body = undefined;
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
    const { maxMessageBytes, streamWindow, maxUnaskedBytes } = this.#rules;
    checkFlag(this.#prefix[0] as number);
    if (length > maxMessageBytes) throw tooLarge(maxMessageBytes);
    const unasked = Math.min(length, streamWindow);
    if (this.#rules.unasked + unasked > maxUnaskedBytes) {
      throw new RequestError(503, 'Too many requests are being read; come again in a moment.', { 'retry-after': '1' });
    }
    this.#unasked = unasked;
    this.#rules.unasked += unasked;
    this.#length = length;
    this.#filled = 0;
    this.#body = this.#rules.pool.take(unasked);
    if (length > streamWindow) this.#askGate();
  }

  #askGate(): void {
    this.#atGate = true;
    this.#ticket = this.#rules.gate.ask(this.#length, () => {
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
    if (this.#filled + wanted > body.length) throw tooLarge(body.length);
    body.set(bytes.subarray(start, start + wanted), this.#filled);
    this.#filled += wanted;
    return start + wanted;
  }

  #finish(body: Buffer): void {
    this.#used += PREFIX_BYTES + this.#length;
    this.#body = undefined;
    this.#prefixed = 0;
    try {
      if (!this.#take(body, this.#length, this.#prefix[0] === 1)) this.#rules.pool.give(body);
    } finally {
      this.dispose();
    }
    if (!this.#stream.remoteEnded && this.#used > this.#rules.streamWindow / 2) this.#grant(this.#used);
  }
}

export function checkFlag(flag: number): void {
  if (flag > 1) throw badRequest(`A message begins with the byte ${flag}; 0 is plain and 1 is packed.`);
}

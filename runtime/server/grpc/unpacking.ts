import type { BodyTicket } from '../rest/bodyGate.ts';
import type { Encoding } from './head.ts';
import type { ReadingRules } from './messageAssembly.ts';
import { mostUnpacked, UNPACKED_AT_ONCE, unpacked, unpackedNow } from './packing.ts';

/** Reads one plain message: bytes[start, end), only good during the call. */
export type ReadMessage = (bytes: Buffer, start: number, end: number) => void;

/** What a message unpacks to beyond this needs room at the gate. */
const LARGE = 256 * 1024;

/**
 * The messages of one call in their order, some of which are packed. What unpacking can need is asked for at the gate
 * before: a thousand messages of 60 kB each that unpack to 60 MB took 3 GB in two seconds without that. Each asks when
 * it comes and not when its turn is near: a later one that is inside would wait for an earlier one outside for ever.
 */
export class Unpacking {
  readonly #rules: ReadingRules;
  readonly #encoding: Encoding;
  readonly #read: ReadMessage;
  readonly #fail: (error: unknown) => void;
  /** Settles when all that came so far has been read. */
  #last: Promise<void> | undefined;
  /** Calls off those that wait at the gate. */
  readonly #waiting = new Set<() => void>();
  #over = false;

  constructor(rules: ReadingRules, encoding: Encoding, read: ReadMessage, fail: (error: unknown) => void) {
    this.#rules = rules;
    this.#encoding = encoding;
    this.#read = read;
    this.#fail = fail;
  }

  get busy(): boolean {
    return this.#last !== undefined;
  }

  /** Does `work` when everything before it has been read; resolves then, and never rejects. */
  after(work: () => void | Promise<void>): Promise<void> {
    const done: Promise<void> = (this.#last ?? Promise.resolve())
      .then(() => (this.#over ? undefined : work()))
      .catch(this.#fail)
      .then(() => {
        if (this.#last === done) this.#last = undefined;
      });
    this.#last = done;
    return done;
  }

  /**
   * Has a packed message read in its turn. Undefined: it has been; else its bytes are needed until the promise resolves.
   * `hasRoom`: the gate has let it in already with all that it may unpack to. Throws RequestError 400 and 413.
   */
  take(message: Buffer, hasRoom: boolean): Promise<void> | undefined {
    const readNow = () => this.#readWhole(unpackedNow(message, this.#encoding, this.#rules.maxMessageBytes));
    if (message.length <= UNPACKED_AT_ONCE) return this.#last ? this.after(readNow) : readNow();
    const most = mostUnpacked(message.length, this.#rules.maxMessageBytes);
    if (hasRoom || most <= LARGE) return this.#readLater(this.#unpack(message));
    const { entered, ticket } = this.#askRoom(most);
    const plain = entered.then(() => this.#unpack(message));
    return this.#readLater(plain).then(() => ticket.giveBack());
  }

  /** The call is over: nothing more is read, and what waits at the gate leaves it. */
  end(): void {
    this.#over = true;
    for (const leave of this.#waiting) leave();
  }

  async #unpack(message: Buffer): Promise<Buffer | undefined> {
    return this.#over ? undefined : unpacked(message, this.#encoding, this.#rules.maxMessageBytes);
  }

  #readLater(plain: Promise<Buffer | undefined>): Promise<void> {
    plain.catch(() => undefined); // told in its turn
    const read = this.after(async () => {
      const whole = await plain;
      if (whole && !this.#over) this.#readWhole(whole);
    });
    // The room is taken until the unpacking ends, whether anybody still waits for it or not.
    return Promise.allSettled([plain, read]).then(() => undefined);
  }

  #readWhole(plain: Buffer): undefined {
    this.#read(plain, 0, plain.length);
  }

  #askRoom(bytes: number): { entered: Promise<void>; ticket: BodyTicket } {
    const { promise: entered, resolve } = Promise.withResolvers<void>();
    const ticket = this.#rules.gate.ask(bytes, resolve);
    const leave = () => {
      ticket.giveBack();
      resolve();
    };
    this.#waiting.add(leave);
    entered.then(() => this.#waiting.delete(leave));
    return { entered, ticket };
  }
}

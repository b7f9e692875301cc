import { http } from '../../nodeHttp.ts';
import type { FlatHeaders } from '../wire.ts';

/** What node:http refuses to write too: whoever can write a line break into a header can write an answer. */
const NOT_IN_A_VALUE = /[^\t\x20-\x7e]/;

/** Writes the heads of answers as node:http does, to the byte. Those of one model differ in their length and date alone. */
export class AnswerHeads {
  readonly #now: () => number;
  readonly #kept: string;
  readonly #own = new Lines();
  readonly #identity = new Lines();
  #second = Number.NaN;
  #date = '';

  /** `now`: epoch milliseconds. `keepAliveMs`: how long a connection may be idle, as callers are told. */
  constructor(now: () => number, keepAliveMs: number) {
    this.#now = now;
    this.#kept = `Connection: keep-alive\r\nKeep-Alive: timeout=${Math.floor(keepAliveMs / 1000)}\r\n\r\n`;
  }

  /** `length`: bytes of the body. `last`: the connection is closed behind it. */
  of(status: number, headers: FlatHeaders, length: number, identity: FlatHeaders, last: boolean): string {
    const first = status === 200 ? OK : `HTTP/1.1 ${status} ${http.STATUS_CODES[status] ?? 'unknown'}\r\n`;
    const lines = `${first}${this.#own.of(headers)}content-length: ${length}\r\n${this.#identity.of(identity)}`;
    return last ? `${lines}connection: close\r\n${this.#dateLine()}\r\n` : `${lines}${this.#dateLine()}${this.#kept}`;
  }

  #dateLine(): string {
    const second = Math.floor(this.#now() / 1000);
    if (second !== this.#second) {
      this.#second = second;
      this.#date = `Date: ${new Date(second * 1000).toUTCString()}\r\n`;
    }
    return this.#date;
  }
}

const OK = 'HTTP/1.1 200 OK\r\n';

/** The lines of headers; those that were asked for last are remembered, for they are mostly the same list again. */
class Lines {
  #headers: FlatHeaders = [];
  #text = '';

  of(headers: FlatHeaders): string {
    if (headers === this.#headers) return this.#text;
    this.#text = linesOf(headers);
    this.#headers = headers;
    return this.#text;
  }
}

function linesOf(headers: FlatHeaders): string {
  let text = '';
  for (let at = 0; at + 1 < headers.length; at += 2) {
    const value = headers[at + 1] as string;
    if (NOT_IN_A_VALUE.test(value))
      throw new TypeError(`Header ${headers[at]} of an answer has a character it can't have.`);
    text += `${headers[at]}: ${value}\r\n`;
  }
  return text;
}

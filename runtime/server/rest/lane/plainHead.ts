import type { IncomingHttpHeaders } from 'node:http';

/** The head of a request about which no two readers of HTTP can disagree. */
export interface PlainHead {
  /** The bytes themselves, the empty line included. */
  readonly text: string;
  readonly target: string;
  /** By names in small letters. */
  readonly headers: IncomingHttpHeaders;
  /** Bytes of the body, 1 at least. */
  readonly bodyBytes: number;
}

/** What a head may have, bytes. */
export const MOST_HEAD = 4096;

const END = '\r\n\r\n';

/**
 * The head at the beginning of these bytes, if it is plain: POST, HTTP/1.1, one Content-Length, one Host, each name once
 * and of letters, digits and hyphens, values of printable ASCII, and nothing that changes how the body or the connection is
 * read. Undefined for everything else, also for a head that is not whole, for what is not HTTP, and for what is wrong: a
 * reader that knows all of HTTP must look at it. What is let through here was chosen to be smaller than any grammar of
 * RFC 9112, so that nothing can be smuggled past a proxy: the ends of such a request are the same for everybody.
 */
export function plainHeadIn(bytes: Buffer): PlainHead | undefined {
  const end = bytes.subarray(0, MOST_HEAD).indexOf(END);
  return end < 0 ? undefined : plainHeadOf(bytes.toString('latin1', 0, end + END.length));
}

/** Whether these bytes begin with the same head. Callers send the same one again and again on one connection. */
export const beginsWith = (bytes: Buffer, { text }: PlainHead): boolean =>
  bytes.length >= text.length && bytes.toString('latin1', 0, text.length) === text;

/** Linear in the length of the text: no part of it can match in two ways. */
const LINES = /^(?:[\t\x20-\x7e]*\r\n)+$/;
const REQUEST_LINE = /^POST (\/[\x21-\x7e]*) HTTP\/1\.1$/;
const NAME = /^[A-Za-z][A-Za-z0-9-]*$/;
const LENGTH = /^[1-9][0-9]{0,5}$/;

/** They say how the body or the connection is read, or node:http makes a list of them. */
const NOT_PLAIN: ReadonlySet<string> = new Set([
  'transfer-encoding',
  'content-encoding',
  'expect',
  'upgrade',
  'http2-settings',
  'te',
  'trailer',
  'keep-alive',
  'proxy-connection',
  'set-cookie',
]);

function plainHeadOf(text: string): PlainHead | undefined {
  if (!LINES.test(text)) return undefined;
  const [first = '', ...lines] = text.slice(0, -END.length).split('\r\n');
  const target = REQUEST_LINE.exec(first)?.[1];
  const headers = target === undefined ? undefined : plainHeaders(lines);
  if (target === undefined || headers?.host === undefined) return undefined;
  const length = headers['content-length'];
  if (length === undefined || !LENGTH.test(length)) return undefined;
  return { text, target, headers, bodyBytes: Number(length) };
}

function plainHeaders(lines: readonly string[]): IncomingHttpHeaders | undefined {
  const headers: Record<string, string> = {};
  for (const line of lines) {
    const colon = line.indexOf(':');
    const name = line.slice(0, Math.max(0, colon));
    if (!NAME.test(name)) return undefined;
    const key = name.toLowerCase();
    const value = line.slice(colon + 1).trim();
    if (NOT_PLAIN.has(key) || Object.hasOwn(headers, key)) return undefined;
    if (key === 'connection' && value.toLowerCase() !== 'keep-alive') return undefined;
    headers[key] = value;
  }
  return headers;
}

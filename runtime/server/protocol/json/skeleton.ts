import { skipSpace } from './bytes.ts';

/**
 * A JSON text without what differs from request to request: what stands at `"data": […]` in the body is `[k]` in `text`,
 * where k counts the regions, and a text at `"id"` is `"k"`. Clients send the same skeleton again and again, so that what
 * it means need be worked out but once.
 */
export interface Skeleton {
  readonly text: string;
  /** Region k lies from starts[k], its opening bracket, to before stops[k]. Nothing in it has been looked at. */
  readonly starts: readonly number[];
  readonly stops: readonly number[];
  readonly ids: readonly string[];
}

/** More pieces than any request has: cutting on would only cost time. */
const MOST_PIECES = 256;

const QUOTE = 34;
const OPEN = 91;
const CLOSE = 93;

/**
 * Cuts the lists of numbers out of bytes[0…length]. Undefined where that is not safe: each key "data" must have a list
 * that begins with a number or a truth (so no `[k]` of the caller's is taken for ours), and there must be no escape and
 * no byte beyond ASCII outside the lists. Such a text is read whole.
 */
export function skeletonOf(bytes: Buffer, length: number): Skeleton | undefined {
  const starts: number[] = [];
  const stops: number[] = [];
  const ids: string[] = [];
  let text = '';
  let kept = 0;
  let p = 0;
  while (p < length) {
    const byte = bytes[p++] as number;
    if (byte > 127) return undefined;
    if (byte !== QUOTE) continue;
    const key = p;
    p = textEnd(bytes, key, length);
    if (p === 0) return undefined;
    const name = p - key === 5 && isData(bytes, key) ? 'data' : p - key === 3 && isId(bytes, key) ? 'id' : undefined;
    if (name === undefined) continue;
    if (starts.length + ids.length >= MOST_PIECES) return undefined;
    const colon = skipSpace(bytes, p);
    if (bytes[colon] !== 58) continue;
    const start = skipSpace(bytes, colon + 1);
    if (name === 'id') {
      if (bytes[start] !== QUOTE) continue;
      p = textEnd(bytes, start + 1, length);
      if (p === 0) return undefined;
      text += `${bytes.toString('latin1', kept, start)}"${ids.length}"`;
      ids.push(bytes.toString('latin1', start + 1, p - 1));
      kept = p;
      continue;
    }
    const stop = bytes[start] === OPEN ? listEnd(bytes, start) : 0;
    if (stop === 0 || stop > length) return undefined;
    text += `${bytes.toString('latin1', kept, start)}[${starts.length}]`;
    starts.push(start);
    stops.push(stop);
    kept = stop;
    p = stop;
  }
  return { text: text + bytes.toString('latin1', kept, length), starts, stops, ids };
}

/** The position after the quote that closes a text; 0 where it holds an escape, a control character or more than ASCII. */
function textEnd(bytes: Buffer, at: number, length: number): number {
  let p = at;
  for (let c = bytes[p] as number; c !== QUOTE; c = bytes[++p] as number) {
    if (c > 127 || c < 32 || c === 92 || p >= length) return 0;
  }
  return p < length ? p + 1 : 0;
}

const isId = (bytes: Buffer, at: number): boolean => bytes[at] === 105 && bytes[at + 1] === 100;

const isData = (bytes: Buffer, at: number): boolean =>
  bytes[at] === 100 && bytes[at + 1] === 97 && bytes[at + 2] === 116 && bytes[at + 3] === 97;

/** The position after the bracket that closes a list of numbers, or lists of them; 0 where it is no such list. */
function listEnd(bytes: Buffer, start: number): number {
  let depth = 0;
  let p = start;
  for (;;) {
    while (bytes[p] === OPEN) {
      depth++;
      p = skipSpace(bytes, p + 1);
    }
    if (!startsScalar(bytes[p])) return 0;
    p = closing(bytes, p);
    if (p < 0) return 0;
    while (bytes[p] === CLOSE) {
      if (--depth === 0) return p + 1;
      p = skipSpace(bytes, p + 1);
    }
    if (bytes[p] !== 44) return 0;
    p = skipSpace(bytes, p + 1);
    if (bytes[p] !== OPEN) return 0;
  }
}

const startsScalar = (byte: number | undefined): boolean =>
  byte !== undefined && ((byte >= 48 && byte <= 57) || byte === 45 || byte === 116 || byte === 102);

const NEAR = 64;

/** Short lists end before a call into native code would have begun. */
function closing(bytes: Buffer, at: number): number {
  const near = at + NEAR;
  for (let p = at; p < near; p++) if (bytes[p] === CLOSE) return p;
  return bytes.indexOf(CLOSE, near);
}

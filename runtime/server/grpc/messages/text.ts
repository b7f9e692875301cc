import { badRequest } from '../../requestError.ts';

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const SLOTS = 256;
/** Longer ones are not likely to come again. */
const LONGEST_KEPT = 64;

interface Kept {
  readonly bytes: Uint8Array;
  readonly text: string;
}

/** The last short strings that were read, by a hash of their bytes: names come again with each request. */
const kept = new Array<Kept | undefined>(SLOTS);

/** The text in bytes[start, end). Throws RequestError 400 where it is not UTF-8. */
export function readText(bytes: Uint8Array, start: number, end: number): string {
  const length = end - start;
  if (length === 0) return '';
  if (length > LONGEST_KEPT) return decode(bytes.subarray(start, end));
  let hash = length;
  for (let at = start; at < end; at++) hash = (hash * 31 + (bytes[at] as number)) & 0xffffff;
  const slot = hash % SLOTS;
  const known = kept[slot];
  if (known && isSame(known.bytes, bytes, start, end)) return known.text;
  const own = bytes.slice(start, end);
  const text = decode(own);
  kept[slot] = { bytes: own, text };
  return text;
}

function decode(bytes: Uint8Array): string {
  try {
    return utf8.decode(bytes);
  } catch {
    throw badRequest('The message holds a name or text that is not UTF-8.');
  }
}

/** Whether bytes[start, end) are these. */
export function isSame(known: Uint8Array, bytes: Uint8Array, start: number, end: number): boolean {
  if (known.length !== end - start) return false;
  for (let i = 0; i < known.length; i++) if (known[i] !== bytes[start + i]) return false;
  return true;
}

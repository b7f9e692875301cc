import { promisify } from 'node:util';
import { deflate, deflateSync, gunzip, gunzipSync, gzip, gzipSync, inflate, inflateSync } from 'node:zlib';
import { badRequest, RequestError } from '../requestError.ts';
import type { Encoding } from './head.ts';

/**
 * Below this a message is packed and unpacked at once: handing it to another thread costs more. It can unfold to a
 * thousand times as much, so the bound is low enough not to stop the thread that reads sockets for long.
 */
export const UNPACKED_AT_ONCE = 4096;
/** A bit of deflate can stand for 258 bytes and no more, two of them for 1032 in all (zlib's own figure). */
const MOST_RATIO = 1032;
/** Smaller answers do not get smaller. */
const WORTH_PACKING = 1024;

const SYNC = { gzip: gunzipSync, deflate: inflateSync } as const;
const ASYNC = { gzip: promisify(gunzip), deflate: promisify(inflate) } as const;

/** What a message of so many bytes can unpack to before it is refused. */
export const mostUnpacked = (bytes: number, maxBytes: number): number => Math.min(maxBytes, bytes * MOST_RATIO);

/** The message as it was before it was packed, `maxBytes` at most. Rejects with RequestError 400 or 413. */
export function unpacked(bytes: Uint8Array, encoding: Encoding, maxBytes: number): Promise<Buffer> {
  const unpack = ASYNC[packingOf(encoding)];
  return unpack(bytes, { maxOutputLength: maxBytes }).catch((error) => refuse(error, maxBytes));
}

/** The same before this returns, for messages of UNPACKED_AT_ONCE at most. Throws the same. */
export function unpackedNow(bytes: Uint8Array, encoding: Encoding, maxBytes: number): Buffer {
  const unpack = SYNC[packingOf(encoding)];
  try {
    return unpack(bytes, { maxOutputLength: maxBytes });
  } catch (error) {
    return refuse(error, maxBytes);
  }
}

function packingOf(encoding: Encoding): Exclude<Encoding, 'identity'> {
  if (encoding === 'identity') throw badRequest('A message is marked as packed, and no grpc-encoding says how.');
  return encoding;
}

function refuse(error: unknown, maxBytes: number): never {
  if ((error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE') throw tooLarge(maxBytes);
  throw badRequest('A message is not packed as grpc-encoding says.');
}

export const tooLarge = (maxBytes: number) => new RequestError(413, `A message may have ${maxBytes} bytes at most.`);

/** Whether an answer of so many bytes is to be packed like the request was. */
export const isWorthPacking = (bytes: number, encoding: Encoding): boolean =>
  encoding !== 'identity' && bytes >= WORTH_PACKING;

export function packed(bytes: Uint8Array, encoding: Exclude<Encoding, 'identity'>): Buffer | Promise<Buffer> {
  if (bytes.length <= 4 * UNPACKED_AT_ONCE) return encoding === 'gzip' ? gzipSync(bytes) : deflateSync(bytes);
  return promisify(encoding === 'gzip' ? gzip : deflate)(bytes);
}

import { promisify } from 'node:util';
import { deflate, deflateSync, gunzip, gunzipSync, gzip, gzipSync, inflate, inflateSync } from 'node:zlib';
import { badRequest, RequestError } from '../requestError.ts';
import type { Encoding } from './head.ts';

/**
 * Below this a message is packed and unpacked at once: handing it to another thread costs more. It can unfold to a
 * thousand times as much, so the bound is low enough not to stop the thread that reads sockets for long.
 */
const SMALL = 4096;
/** Smaller answers do not get smaller. */
const WORTH_PACKING = 1024;

const SYNC = { gzip: gunzipSync, deflate: inflateSync } as const;
const ASYNC = { gzip: promisify(gunzip), deflate: promisify(inflate) } as const;

/** The message as it was before it was packed, `maxBytes` at most. Throws (rejects) RequestError 400 or 413. */
export function unpacked(bytes: Uint8Array, encoding: Encoding, maxBytes: number): Buffer | Promise<Buffer> {
  if (encoding === 'identity') throw badRequest('A message is marked as packed, and no grpc-encoding says how.');
  const options = { maxOutputLength: maxBytes };
  if (bytes.length > SMALL) return ASYNC[encoding](bytes, options).catch((error) => refuse(error, maxBytes));
  try {
    return SYNC[encoding](bytes, options);
  } catch (error) {
    return refuse(error, maxBytes);
  }
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
  if (bytes.length <= 4 * SMALL) return encoding === 'gzip' ? gzipSync(bytes) : deflateSync(bytes);
  return promisify(encoding === 'gzip' ? gzip : deflate)(bytes);
}

import { promisify } from 'node:util';
import zlib from 'node:zlib';
import { badRequest, RequestError } from '../requestError.ts';

type Unpack = (body: Buffer, options: { maxOutputLength: number }) => Promise<Buffer>;

/** How a body is packed, and how much larger than its packed form it can be at most. */
export interface Encoding {
  readonly name: string;
  readonly mostRatio: number;
  readonly unpack: Unpack;
}

const gunzip: Unpack = promisify(zlib.gunzip);
const inflate: Unpack = promisify(zlib.inflate);
const inflateRaw: Unpack = promisify(zlib.inflateRaw);
const zstdDecompress: Unpack = promisify(zlib.zstdDecompress);

/** "deflate" means the zlib format (RFC 9110 §8.4.1.2), but clients that send the bare stream are old and many. */
const inflateEither: Unpack = (body, options) =>
  hasZlibHeader(body) ? inflate(body, options) : inflateRaw(body, options);

const hasZlibHeader = (body: Buffer): boolean =>
  body.length >= 2 && ((body[0] as number) & 0x0f) === 8 && body.readUInt16BE(0) % 31 === 0;

/** A bit of deflate can stand for 258 bytes and no more, two of them for 1032 in all (zlib's own figure). */
const DEFLATE_RATIO = 1032;

const ENCODINGS: ReadonlyMap<string, Encoding> = new Map(
  [
    { name: 'gzip', mostRatio: DEFLATE_RATIO, unpack: gunzip },
    { name: 'x-gzip', mostRatio: DEFLATE_RATIO, unpack: gunzip },
    { name: 'deflate', mostRatio: DEFLATE_RATIO, unpack: inflateEither },
    { name: 'zstd', mostRatio: Number.POSITIVE_INFINITY, unpack: zstdDecompress },
  ].map((encoding) => [encoding.name, encoding]),
);

/** The encoding of a Content-Encoding header; undefined when the body is as it is. Throws RequestError 415. */
export function encodingOf(header: string | undefined): Encoding | undefined {
  if (header === undefined || header === 'identity' || header === '') return undefined;
  const encoding = ENCODINGS.get(header.trim().toLowerCase());
  if (encoding || header.trim().toLowerCase() === 'identity') return encoding;
  throw new RequestError(415, 'Send the body as it is, or with content-encoding gzip, deflate or zstd.', {
    'accept-encoding': 'gzip, deflate, zstd',
  });
}

/** The body unpacked, in another thread. Throws RequestError: 413 when it is larger than `limit`, 400 when it is broken. */
export async function unpacked(body: Buffer, { name, unpack }: Encoding, limit: number): Promise<Buffer> {
  try {
    return await unpack(body, { maxOutputLength: limit });
  } catch (error) {
    if (error instanceof RangeError) throw tooLarge(limit);
    throw badRequest(`The body is not ${name}, though content-encoding says so, or it is cut short.`);
  }
}

export const tooLarge = (limit: number): RequestError =>
  new RequestError(413, `The body may have ${limit} bytes at most.`);

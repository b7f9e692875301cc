import { promisify } from 'node:util';
import zlib from 'node:zlib';

/** Ours from best to worst, for what callers like equally well. */
const PACKERS = {
  zstd: (chunks: Buffer) => promisify(zlib.zstdCompress)(chunks),
  gzip: (chunks: Buffer) => promisify(zlib.gzip)(chunks, { level: 1 }),
  deflate: (chunks: Buffer) => promisify(zlib.deflate)(chunks, { level: 1 }),
} as const;

export type Packing = keyof typeof PACKERS;
const PACKINGS = Object.keys(PACKERS) as readonly Packing[];

/**
 * Answers smaller than this are sent as they are: packing takes a thread that models run on, and within a cluster
 * sending 16 kB takes less time than packing it.
 */
export const SMALLEST_PACKED = 16 * 1024;

/** What an Accept-Encoding header likes best of what we can, by its q-values (RFC 9110 §12.5.3); undefined: nothing. */
export function packingFor(header: string | undefined): Packing | undefined {
  if (header === undefined || header === '') return undefined;
  const liked = new Map(header.split(',').map(preference));
  const others = liked.get('*') ?? 0;
  const scoreOf = (packing: Packing): number =>
    liked.get(packing) ?? (packing === 'gzip' ? liked.get('x-gzip') : undefined) ?? others;
  const best = PACKINGS.reduce((best, packing) => (scoreOf(packing) > scoreOf(best) ? packing : best));
  const score = scoreOf(best);
  return score > 0 && score >= (liked.get('identity') ?? 0) ? best : undefined;
}

function preference(text: string): [coding: string, q: number] {
  const [coding = '', ...parameters] = text.split(';').map((part) => part.trim().toLowerCase());
  const q = parameters.find((parameter) => parameter.startsWith('q='))?.slice(2);
  return [coding, q === undefined ? 1 : Number(q) || 0];
}

/** The whole answer packed, in another thread. */
export const packed = (body: Buffer, packing: Packing): Promise<Buffer> => PACKERS[packing](body);

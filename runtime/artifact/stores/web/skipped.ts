import { Readable } from 'node:stream';

/** A stream without its first bytes: what a server that knows no ranges sends in answer to one. */
export const skipped = (stream: Readable, bytes: number): Readable =>
  Readable.from(after(stream, bytes), { objectMode: false });

async function* after(stream: Readable, bytes: number): AsyncIterable<Buffer> {
  let left = bytes;
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    if (left < chunk.length) yield chunk.subarray(left);
    left = Math.max(0, left - chunk.length);
  }
}

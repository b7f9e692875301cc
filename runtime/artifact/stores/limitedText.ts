import type { Readable } from 'node:stream';
import { Failure } from '../failure.ts';

/** Longest text that is taken whole: a manifest of a hundred thousand files, about. */
const MOST_BYTES = 32 * 1024 * 1024;

/** The text of a stream. Throws Failure ArtifactOversized: a server that sends without end must not fill our memory. */
export async function limitedText(stream: Readable, what: string, most = MOST_BYTES): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > most) {
      stream.destroy();
      throw new Failure('ArtifactOversized', `${what} is longer than ${most} bytes, and no list of files is.`);
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}

import type { IncomingMessage } from 'node:http';

/** The text of a request, or undefined when it is longer than `mostBytes`: the rest is then read and dropped. */
export async function bodyText(request: IncomingMessage, mostBytes: number): Promise<string | undefined> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size <= mostBytes) chunks.push(chunk);
  }
  return size <= mostBytes ? Buffer.concat(chunks).toString('utf8') : undefined;
}

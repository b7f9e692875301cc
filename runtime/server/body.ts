import type { IncomingMessage } from 'node:http';
import { RequestError } from './requestError.ts';

/** The caller went away before its request was complete: there is nobody to answer. */
export class CallerGone extends Error {
  override readonly name = 'CallerGone';
}

/**
 * Reads a request body. Throws RequestError 413 as soon as it is known to be larger than `limit`; the rest is then
 * discarded as it comes, since closing on a caller that still sends would cost it the answer. Throws CallerGone.
 */
export function readBody(request: IncomingMessage, limit: number): Promise<Buffer> {
  const { promise, resolve, reject } = Promise.withResolvers<Buffer>();
  const chunks: Buffer[] = [];
  let size = 0;
  const refuse = () => {
    request.off('data', take).resume();
    reject(new RequestError(413, `The body may have ${limit} bytes at most.`));
  };
  const take = (chunk: Buffer) => {
    size += chunk.length;
    if (size > limit) refuse();
    else chunks.push(chunk);
  };
  request.on('data', take);
  request.once('end', () => resolve(chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks)));
  request.once('close', () => reject(new CallerGone('the request was aborted')));
  request.once('error', () => reject(new CallerGone('the request was aborted')));
  if (Number(request.headers['content-length']) > limit) refuse();
  return promise;
}

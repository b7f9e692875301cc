import type { IncomingMessage } from 'node:http';
import { RequestError } from '../requestError.ts';

const UNKNOWN = new RequestError(501, 'Send no Transfer-Encoding but "chunked"; pack a body by Content-Encoding.');
const TOO_OLD = new RequestError(400, 'HTTP/1.0 has no Transfer-Encoding; send the Content-Length of the body.');

/**
 * What is wrong with how the body is sent, if anything. node:http takes whatever ends in "chunked" and leaves the rest
 * as it is: the body would be read as if nothing had been done to it, and a proxy that reads the header otherwise sees
 * other ends of requests than this server (request smuggling; RFC 9112 §6.1). Whoever refuses for this closes the
 * connection.
 */
export function transferFault({ headers, httpVersionMinor }: IncomingMessage): RequestError | undefined {
  const coding = headers['transfer-encoding'];
  if (coding === undefined) return undefined;
  if (coding.toLowerCase() !== 'chunked') return UNKNOWN;
  return httpVersionMinor === 0 ? TOO_OLD : undefined;
}

import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { RESPONSE_HEADERS } from '@slipway/crds/contract';
import type { ModelIdentity } from '../models/servedModel.ts';
import type { Phase } from '../portDependencies.ts';
import type { RequestError } from '../requestError.ts';
import { type Packing, packed, packingFor, SMALLEST_PACKED } from './acceptEncoding.ts';

/** Names and values in turn, as node:http takes them fastest. */
export type FlatHeaders = readonly string[];

export interface Answer {
  readonly status: number;
  /** Text, or chunks that are sent one after the other. */
  readonly body: string | readonly Uint8Array[];
  readonly headers: FlatHeaders;
}

export interface ErrorAnswer extends Answer {
  readonly body: string;
}

const JSON_TYPE: FlatHeaders = ['content-type', 'application/json'];

export const jsonAnswer = (body: unknown, status = 200): Answer => ({
  status,
  body: JSON.stringify(body),
  headers: JSON_TYPE,
});

/** Every refusal of every path: {"error": "<one sentence>"}. */
export const errorAnswer = ({ status, message, headers }: RequestError): ErrorAnswer => ({
  status,
  body: JSON.stringify({ error: message }),
  headers: [...JSON_TYPE, ...Object.entries(headers).flat()],
});

const identities = new WeakMap<ModelIdentity, FlatHeaders>();

/** Which version answers, for whoever must lay a failure at the right door. */
export function identityHeaders(identity: ModelIdentity | undefined): FlatHeaders {
  if (!identity) return [];
  const known = identities.get(identity);
  if (known) return known;
  const { version, digest } = identity;
  const headers = [RESPONSE_HEADERS.version, headerText(version), RESPONSE_HEADERS.digest, headerText(digest)];
  identities.set(identity, headers);
  return headers;
}

/** A header can't carry every text a version may be. */
const headerText = (text: string): string => text.replace(/[^\x20-\x7e]/g, '?');

/** Sends an answer to a request that was read to its end. `last`: the connection is to be closed with it. */
export function send(response: ServerResponse, answer: Answer, identity: FlatHeaders, last: boolean): void {
  const { body, status } = answer;
  if (typeof body !== 'string') return void sendChunks(response, answer, body, identity, last);
  const length = String(Buffer.byteLength(body));
  response.writeHead(status, headersOf(answer.headers, length, identity, last) as string[]);
  response.end(body);
}

/** One write for all of it: the socket takes the header and every view together. */
function sendChunks(
  response: ServerResponse,
  { status, headers }: Answer,
  chunks: readonly Uint8Array[],
  identity: FlatHeaders,
  last: boolean,
): void {
  const length = String(chunks.reduce((sum, { length }) => sum + length, 0));
  response.writeHead(status, headersOf(headers, length, identity, last) as string[]);
  response.cork();
  for (const chunk of chunks) response.write(chunk);
  response.end();
}

const headersOf = (headers: FlatHeaders, length: string, identity: FlatHeaders, last: boolean): FlatHeaders =>
  last
    ? [...headers, 'content-length', length, ...identity, 'connection', 'close']
    : [...headers, 'content-length', length, ...identity];

/** How the answer to this request is packed, if the caller can unpack and it is worth it. */
export function packingOf(headers: IncomingHttpHeaders, { body }: Answer): Packing | undefined {
  const accepted = headers['accept-encoding'];
  if (accepted === undefined || typeof accepted !== 'string') return undefined;
  return sizeOf(body) < SMALLEST_PACKED ? undefined : packingFor(accepted);
}

const sizeOf = (body: Answer['body']): number =>
  typeof body === 'string' ? body.length : body.reduce((sum, { length }) => sum + length, 0);

export async function packedAnswer(answer: Answer, packing: Packing): Promise<Answer> {
  const { body } = answer;
  const whole = typeof body === 'string' ? Buffer.from(body) : Buffer.concat(body);
  const headers = [...answer.headers, 'content-encoding', packing, 'vary', 'accept-encoding'];
  return { status: answer.status, body: [await packed(whole, packing)], headers };
}

/** What is left of a refused body is read up to this many bytes without giving up the connection. */
const READ_OUT = 64 * 1024;

/** A refused body is dropped up to this size at least: a caller with a small limit against it may still be sending. */
const DROPPED_AT_LEAST = 16 * 1024 * 1024;

/** What `sendEarly` needs to know of its port. */
export interface Port {
  readonly limits: { readonly maxBodyBytes: number };
  readonly phase: () => Phase;
  readonly unread: WeakSet<Duplex>;
}

/**
 * Sends an error to a request of whose body `rest` bytes were not read. They are read and dropped, since closing on a
 * caller that still sends would cost it the answer (RFC 9112 §9.6): a small rest keeps the connection, a large one is
 * read for as long as a body may be, and 16 MiB at least, then the connection is closed.
 */
export function sendEarly(
  request: IncomingMessage,
  response: ServerResponse,
  answer: ErrorAnswer,
  identity: FlatHeaders,
  rest: number,
  { limits, phase, unread }: Port,
): void {
  const { socket } = request;
  if (rest > 0) {
    unread.add(socket);
    request.on('end', () => unread.delete(socket));
  }
  request.resume();
  if (rest <= READ_OUT) return void send(response, answer, identity, phase() === 'Draining');
  const length = String(Buffer.byteLength(answer.body));
  response.writeHead(answer.status, headersOf(answer.headers, length, identity, true) as string[]);
  response.write(answer.body);
  let dropped = 0;
  request.on('data', (chunk: Buffer) => {
    dropped += chunk.length;
    if (dropped > Math.max(limits.maxBodyBytes, DROPPED_AT_LEAST)) response.end();
  });
  request.on('end', () => response.end());
}

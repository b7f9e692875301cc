import type { Server } from 'node:http';
import type { Duplex } from 'node:stream';
import { RequestError } from '../requestError.ts';
import type { Call, CallContext } from './call.ts';
import { countRefusal } from './refusal.ts';
import { errorAnswer, identityHeaders } from './wire.ts';

const TIMEOUT = 'ERR_HTTP_REQUEST_TIMEOUT';

/** How long a refused connection is read from, so that what is still coming does not cost the caller the answer. */
const LINGER_MS = 1000;

type Broken = { readonly code?: string | undefined };

/** What is wrong with a request that node:http could not read, or not in time. */
function faultOf(error: Broken, { limits }: CallContext): RequestError {
  if (error.code === 'HPE_HEADER_OVERFLOW') {
    return new RequestError(431, `The header may have ${limits.maxHeaderBytes} bytes at most.`);
  }
  if (error.code === 'HPE_CHUNK_EXTENSIONS_OVERFLOW')
    return new RequestError(413, 'The chunk extensions are too long.');
  if (error.code === 'HPE_INVALID_EOF_STATE') return new RequestError(400, 'The request ended in its middle.');
  if (error.code !== TIMEOUT) return new RequestError(400, 'This is not a valid HTTP request.');
  const { headersTimeoutMs, bodyTimeoutMs } = limits;
  return new RequestError(
    408,
    `A header must be here within ${headersTimeoutMs} ms, a request in ${bodyTimeoutMs} ms.`,
  );
}

const BUSY = new RequestError(503, 'Too many large requests are being read; try again later.', { 'retry-after': '1' });

/** A body that waits before the gate is not sent: the server has not asked for it yet. */
const isOurLateness = ({ code }: Broken, { reading }: Call): boolean => code === TIMEOUT && reading.waiting;

const NO_PROXY = new RequestError(405, 'This server is no proxy.', { allow: 'GET, HEAD, POST' });

const REASONS: Readonly<Record<number, string>> = {
  400: 'Bad Request',
  405: 'Method Not Allowed',
  408: 'Request Timeout',
  413: 'Payload Too Large',
  431: 'Request Header Fields Too Large',
};

/**
 * Answers what never became a request, or ceased to be one in its middle: garbage, headers too large, bytes too slow.
 * A call that is still reading gets the error as its answer; calls that were read whole are answered first, for an
 * error that went out before them would be taken for their answer.
 */
export function refuseMalformed(server: Server, context: CallContext): void {
  const refused = new WeakSet<Duplex>();
  server.on('clientError', (error: NodeJS.ErrnoException, socket: Duplex) => {
    if (refused.has(socket)) return;
    refused.add(socket);
    const answered = context.unread.has(socket);
    if (answered || error.code === 'ECONNRESET' || !socket.writable) return void socket.destroy();
    if (breakOff(error, socket, context) === 0) refuse(socket, faultOf(error, context), context);
  });
  server.on('connect', (_request, socket: Duplex) => {
    if (breakOff({}, socket, context) === 0) refuse(socket, NO_PROXY, context);
  });
}

/** What broke a request off, by the codes of node:http. */
export const BROKEN = { Ended: { code: 'HPE_INVALID_EOF_STATE' }, Late: { code: TIMEOUT } } as const;

/** Ends the call that is being read on this socket with what is wrong, if there is one. Returns how many there are. */
export function breakOff(error: Broken, socket: Duplex, context: CallContext): number {
  const calls = [...context.open].filter(({ exchange }) => exchange.socket === socket);
  for (const { exchange } of calls) exchange.endBehind();
  const broken = calls.find(({ exchange }) => !exchange.isWhole);
  broken?.breakOff(isOurLateness(error, broken) ? BUSY : faultOf(error, context));
  return calls.length;
}

function refuse(socket: Duplex, fault: RequestError, { identity, refusals }: CallContext): void {
  countRefusal(refusals, fault);
  const { status, body, headers } = errorAnswer(fault);
  const length = Buffer.byteLength(body as string);
  const all = [...headers, 'content-length', String(length), 'connection', 'close', ...identityHeaders(identity)];
  const lines = all.flatMap((name, i) => (i % 2 === 0 ? [`${name}: ${all[i + 1]}`] : []));
  socket.end([`HTTP/1.1 ${status} ${REASONS[status]}`, ...lines, '', body].join('\r\n'));
  socket.on('error', () => socket.destroy());
  setTimeout(() => socket.destroy(), LINGER_MS).unref();
}

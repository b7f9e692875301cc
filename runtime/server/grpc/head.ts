import { REQUEST_HEADERS } from '@slipway/crds/contract';
import type { RequestHeaders } from '../protocol/order.ts';
import { RequestError } from '../requestError.ts';
import type { HeaderField } from './http2/hpack/staticTable.ts';
import { CODE, fault, type RpcFault } from './status.ts';

/** How messages may be packed, both ways. */
export type Encoding = 'identity' | 'gzip' | 'deflate';

/** What the header block of a call says. Calls with equal blocks share one: it never changes. */
export interface RpcHead {
  /** HTTP status for a request that is no call of gRPC at all. */
  readonly refused: number | undefined;
  readonly path: string;
  /** Found out before the call is looked at: a wrong deadline, an unknown encoding. */
  readonly fault: RpcFault | undefined;
  /** Milliseconds that the caller waits; Infinity where it has no deadline. */
  readonly timeoutMs: number;
  readonly encoding: Encoding;
  readonly authorization: string | undefined;
  readonly traceparent: string | undefined;
  readonly requestId: string | undefined;
  readonly isShadow: boolean;
  /** All of its metadata, the first of each name. */
  readonly metadata: Readonly<Record<string, string>>;
  /** Those that order the run: undefined where there are none. */
  readonly orderHeaders: RequestHeaders | undefined;
}

const UNITS: Readonly<Record<string, number>> = { H: 3_600_000, M: 60_000, S: 1000, m: 1, u: 1e-3, n: 1e-6 };
const ENCODINGS: readonly string[] = ['identity', 'gzip', 'deflate'] satisfies Encoding[];
const PSEUDO = new Set([':method', ':path', ':scheme', ':authority']);

/** Reads a header block of gRPC (grpc/doc/PROTOCOL-HTTP2.md). */
export function parseHead(fields: readonly HeaderField[], tooLarge: boolean): RpcHead {
  const of = new Map<string, string>();
  let malformed = false;
  let regular = false;
  for (const { name, value } of fields) {
    const pseudo = name.startsWith(':');
    if (pseudo && (regular || !PSEUDO.has(name) || of.has(name))) malformed = true;
    if (!pseudo) regular = true;
    if (name !== name.toLowerCase() || name === 'connection') malformed = true;
    if (!of.has(name)) of.set(name, value);
  }
  const deadline = timeoutOf(of.get('grpc-timeout'));
  return {
    refused: malformed ? 400 : tooLarge ? undefined : httpFault(of),
    path: of.get(':path') ?? '',
    fault: tooLarge ? TOO_LARGE : typeof deadline === 'number' ? encodingFault(of) : deadline,
    timeoutMs: typeof deadline === 'number' ? deadline : Number.POSITIVE_INFINITY,
    encoding: (of.get('grpc-encoding') ?? 'identity') as Encoding,
    authorization: of.get(REQUEST_HEADERS.apiKey),
    traceparent: of.get(REQUEST_HEADERS.traceparent),
    requestId: of.get(REQUEST_HEADERS.requestId),
    isShadow: of.has(REQUEST_HEADERS.shadow),
    metadata: Object.fromEntries([...of].filter(([name]) => !name.startsWith(':'))),
    orderHeaders: orderHeadersOf(of),
  };
}

const TOO_LARGE = fault(CODE.resourceExhausted, 431, 'The metadata of the call is larger than this server takes.');

function httpFault(of: ReadonlyMap<string, string>): number | undefined {
  if (!of.has(':method') || !of.get(':path') || !of.has(':scheme')) return 400;
  if (of.get(':method') !== 'POST') return 405;
  return /^application\/grpc(\+proto)?(;|$)/.test(of.get('content-type') ?? '') ? undefined : 415;
}

function timeoutOf(text: string | undefined): number | RpcFault {
  if (text === undefined) return Number.POSITIVE_INFINITY;
  const found = /^(\d{1,8})([HMSmun])$/.exec(text);
  if (found) return Number(found[1]) * (UNITS[found[2] as string] as number);
  return fault(CODE.invalidArgument, 400, 'grpc-timeout must be up to eight digits and a unit out of H M S m u n.');
}

function encodingFault(of: ReadonlyMap<string, string>): RpcFault | undefined {
  const encoding = of.get('grpc-encoding') ?? 'identity';
  if (ENCODINGS.includes(encoding)) return undefined;
  const error = new RequestError(501, 'Messages may be packed with gzip or deflate, or not at all.', {
    'grpc-accept-encoding': ENCODINGS.join(','),
  });
  return { code: CODE.unimplemented, error };
}

function orderHeadersOf(of: ReadonlyMap<string, string>): RequestHeaders | undefined {
  const timeoutMs = of.get(REQUEST_HEADERS.timeoutMs);
  const priority = of.get(REQUEST_HEADERS.priority);
  if (timeoutMs === undefined && priority === undefined) return undefined;
  return { [REQUEST_HEADERS.timeoutMs]: timeoutMs, [REQUEST_HEADERS.priority]: priority };
}

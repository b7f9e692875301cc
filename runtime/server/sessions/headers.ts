import type { IncomingMessage } from 'node:http';
import { REQUEST_HEADERS } from '@slipway/crds/contract';

/** Names and values in turn. */
export type FlatHeaders = readonly string[];

/** Of one connection only (RFC 9110 §7.6.1). */
const HOP_BY_HOP = [
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
];

/** Of the body as it came: it is passed on whole and unpacked, and the caller was told to go on long ago. */
const OF_THE_BODY = ['content-length', 'content-encoding', 'expect'];

/** The head of a request as the other arm gets it. `waitedMs`: how much of the caller's patience is gone. */
export function headersOnward(
  { headers, rawHeaders }: IncomingMessage,
  order: string,
  bodyBytes: number,
  waitedMs: number,
): FlatHeaders {
  const { timeoutMs, forwarded } = REQUEST_HEADERS;
  const deadline = headers[timeoutMs];
  const onward = [...without(rawHeaders, OF_THE_BODY, headers.connection), 'content-length', String(bodyBytes)];
  return [...onward.map((text, i) => (isDeadline(onward, i) ? left(deadline, waitedMs) : text)), forwarded, order];
}

const isDeadline = (flat: FlatHeaders, i: number): boolean =>
  i % 2 === 1 && flat[i - 1]?.toLowerCase() === REQUEST_HEADERS.timeoutMs;

/** One that is no number is the other arm's to refuse, in its own words. */
function left(deadline: string | string[] | undefined, waitedMs: number): string {
  const ms = Number(deadline);
  return Number.isFinite(ms) && ms > 0 ? String(Math.max(1, Math.round(ms - waitedMs))) : String(deadline);
}

/** The head of the other arm's answer, as the caller gets it. */
export const headersBack = ({ headers, rawHeaders }: IncomingMessage): FlatHeaders =>
  without(rawHeaders, [], headers.connection);

function without(flat: FlatHeaders, names: readonly string[], connection: string | undefined): string[] {
  const named = connection?.toLowerCase().split(',') ?? [];
  const dropped = new Set([...HOP_BY_HOP, ...names, ...named.map((name) => name.trim())]);
  const isKept = (i: number) => !dropped.has((flat[i - (i % 2)] as string).toLowerCase());
  return flat.filter((_, i) => isKept(i));
}

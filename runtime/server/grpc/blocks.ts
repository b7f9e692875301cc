import { RESPONSE_HEADERS } from '@slipway/crds/contract';
import type { ModelIdentity } from '../models/servedModel.ts';
import { encodeHeaders } from './http2/hpack/encode.ts';
import type { HeaderField } from './http2/hpack/staticTable.ts';
import { CODE, type RpcFault } from './status.ts';

/** Longer sentences are cut: they must fit one frame, and callers keep them in a header. */
const LONGEST_MESSAGE = 4096;

const START: readonly HeaderField[] = [
  { name: ':status', value: '200' },
  { name: 'content-type', value: 'application/grpc' },
];

const of = (identity: ModelIdentity | undefined): readonly HeaderField[] =>
  identity === undefined
    ? []
    : [
        { name: RESPONSE_HEADERS.version, value: printable(identity.version) },
        { name: RESPONSE_HEADERS.digest, value: printable(identity.digest) },
      ];

/** What begins an answer. `encoding`: that of its messages. */
export const answerHead = (identity: ModelIdentity | undefined, encoding?: string): Buffer =>
  encodeHeaders([
    ...START,
    ...of(identity),
    ...(encoding === undefined ? [] : [{ name: 'grpc-encoding', value: encoding }]),
  ]);

/** What ends a good answer. */
export const OK_TRAILERS = encodeHeaders([{ name: 'grpc-status', value: String(CODE.ok) }]);

/** What ends an answer that has begun and goes wrong. */
export const faultTrailers = (fault: RpcFault): Buffer => encodeHeaders(statusOf(fault));

/** An answer that is only a fault: one frame, head and trailers at once. */
export const faultBlock = (fault: RpcFault, identity: ModelIdentity | undefined): Buffer =>
  encodeHeaders([...START, ...of(identity), ...statusOf(fault)]);

/** For whoever speaks HTTP/2 but no gRPC. */
export const plainBlock = (status: number): Buffer => encodeHeaders([{ name: ':status', value: String(status) }]);

function statusOf({ code, error }: RpcFault): readonly HeaderField[] {
  const seconds = error.headers['retry-after'];
  return [
    { name: 'grpc-status', value: String(code) },
    { name: 'grpc-message', value: percentEncoded(error.message) },
    ...(seconds === undefined ? [] : [{ name: 'grpc-retry-pushback-ms', value: String(Number(seconds) * 1000) }]),
    ...Object.entries(error.headers).map(([name, value]) => ({ name, value })),
  ];
}

const printable = (text: string): string => text.replace(/[^\x21-\x7e]/g, '?');

/** grpc-message is UTF-8 with all but printable ASCII, and the percent sign, escaped. */
function percentEncoded(text: string): string {
  const bytes = Buffer.from(text.slice(0, LONGEST_MESSAGE));
  let encoded = '';
  for (const byte of bytes) {
    const plain = byte >= 0x20 && byte <= 0x7e && byte !== 0x25;
    encoded += plain ? String.fromCharCode(byte) : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
  }
  return encoded;
}

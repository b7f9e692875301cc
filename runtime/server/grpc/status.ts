import { EngineError } from '../engine/engine.ts';
import { requestErrorOf } from '../protocol/failure.ts';
import { RequestError } from '../requestError.ts';

/** Status codes of gRPC, as far as a server like this one gives them (grpc.github.io, statuscodes). */
export const CODE = {
  ok: 0,
  cancelled: 1,
  invalidArgument: 3,
  deadlineExceeded: 4,
  notFound: 5,
  permissionDenied: 7,
  resourceExhausted: 8,
  unimplemented: 12,
  internal: 13,
  unavailable: 14,
  unauthenticated: 16,
} as const;

const OF_HTTP: Readonly<Record<number, number>> = {
  400: CODE.invalidArgument,
  401: CODE.unauthenticated,
  403: CODE.permissionDenied,
  404: CODE.notFound,
  408: CODE.deadlineExceeded,
  413: CODE.resourceExhausted,
  422: CODE.invalidArgument,
  429: CODE.resourceExhausted,
  431: CODE.resourceExhausted,
  499: CODE.cancelled,
  501: CODE.unimplemented,
  503: CODE.unavailable,
  504: CODE.deadlineExceeded,
};

/** A call that ends without its answer: the code of gRPC, and what REST would have said. */
export interface RpcFault {
  readonly code: number;
  readonly error: RequestError;
}

/** A deadline that can't be met is DEADLINE_EXCEEDED whoever finds it out, as callers of gRPC expect; REST has one 503 for both. */
export function faultOf(thrown: unknown): RpcFault {
  const error = requestErrorOf(thrown);
  const tooLate = thrown instanceof EngineError && thrown.kind === 'TooLate';
  return { code: tooLate ? CODE.deadlineExceeded : (OF_HTTP[error.status] ?? CODE.internal), error };
}

/** Whose own words gRPC prescribes a code for that no status of HTTP stands for. */
export const fault = (code: number, status: number, sentence: string): RpcFault => ({
  code,
  error: new RequestError(status, sentence),
});

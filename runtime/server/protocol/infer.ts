import type { Lease, Order, Outcome } from '../batching/scheduler.ts';
import type { ServedModel } from '../models/servedModel.ts';
import { RequestError } from '../requestError.ts';
import type { RequestHeaders } from './order.ts';

/** What the server knows of a request beside its body. */
export interface InferContext {
  /** Milliseconds of the server's monotonic clock at the last byte of the body. */
  readonly now: number;
  readonly headers?: RequestHeaders;
  /** Of the serving settings. */
  readonly limits?: { readonly maxElements: number; readonly requestTimeoutMs: number };
}

export interface InferAnswer {
  /** Text for small answers, else chunks to be written one after the other. */
  readonly body: string | readonly Uint8Array[];
  /** Value of inference-header-content-length (and content-type application/octet-stream); undefined for pure JSON. */
  readonly headerLength: number | undefined;
}

/**
 * A request that was read, found right, and lies in its lease. The caller of the protocol calls exactly one of
 * `lease.submit(order, …)` and `lease.release()`, and `answer` with the outcome.
 */
export interface Pending {
  readonly lease: Lease;
  readonly order: Order;
  readonly id: string | undefined;
  /** Tells the model's evidence of values that are not finite. Throws EngineError ModelFailed where the settings refuse them. */
  answer(outcome: Outcome): InferAnswer;
}

/**
 * Reads the body of POST …/infer: JSON, JSON with binary tensors, one raw tensor (`headerLength` 0), or rows by feature
 * name. `headerLength` is the value of inference-header-content-length. A promise only where the body is so large that
 * another thread reads it. Throws (rejects) RequestError, EngineError Overloaded or Closing; then nothing stays leased.
 */
export function inferJson(
  _body: Buffer,
  _headerLength: number | undefined,
  _model: ServedModel,
  _context: InferContext,
): Pending | Promise<Pending> {
  throw new RequestError(501, 'Inference over REST is not served yet.');
}

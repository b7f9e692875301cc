import type { Signature } from '@slipway/crds/contract';
import type { Datatype, Elements } from './datatypes.ts';

/** A named tensor with its elements, row-major; their number is the product of the shape. */
export interface TensorValue {
  readonly name: string;
  readonly datatype: Datatype;
  readonly shape: readonly number[];
  readonly elements: Elements;
}

/**
 * Runs the model. Implementations decide where: worker threads today. Inputs are valid for the signature; the engine
 * may take over their memory, so the caller must not read them again.
 */
export interface Engine {
  readonly signature: Signature;
  /** Whether a request would find something to run it. False while every worker is being replaced. */
  readonly healthy: boolean;
  /** Answers the named outputs, in that order. Throws EngineError. */
  infer(inputs: readonly TensorValue[], outputs: readonly string[]): Promise<readonly TensorValue[]>;
  /** Resolves when no request runs any more and every worker has let go of the model. */
  close(): Promise<void>;
}

/**
 * ModelFailed: the model refused this input at run time. WorkerLost: the thread died under the request.
 * Overloaded: the queue is full, nothing was run.
 */
export type EngineErrorKind = 'ModelFailed' | 'WorkerLost' | 'Overloaded';

export class EngineError extends Error {
  override readonly name = 'EngineError';
  readonly kind: EngineErrorKind;
  constructor(kind: EngineErrorKind, message: string) {
    super(message);
    this.kind = kind;
  }
}

import type { Signature } from '@slipway/crds/contract';
import type { EngineSettings } from '@slipway/crds/serving';
import type { TensorValue } from '../tensor.ts';

export interface RunOptions {
  /** Ends the run early where the backend can (`ffi`); the run then throws EngineError Cancelled. */
  readonly signal?: AbortSignal;
  /** One of the runs that have one thread each; only where the engine says how many (`perCore`). */
  readonly perCore?: boolean;
}

/**
 * A loaded model. Knows nothing of batches, queues or requests: it runs what it is given. Inputs fit the signature.
 * Elements that lie in a SharedArrayBuffer are read in place, so they must hold still until the run has ended; answers
 * are memory of their own.
 */
export interface Engine {
  readonly backend: EngineSettings['backend'];
  /** What the model says of itself. */
  readonly signature: Signature;
  /** The execution providers that the model really runs on, best first. */
  readonly providers: readonly string[];
  /** Whether a run would find something to run on. False while a lost process is being replaced. */
  readonly healthy: boolean;
  /** Runs of one thread that may go on at the same time, instead of one that has all threads; absent: none. */
  readonly perCore?: number;
  /** Answers the named outputs, in that order. At most `instances` run at once; the caller keeps to that. Throws EngineError. */
  run(
    inputs: readonly TensorValue[],
    outputs: readonly string[],
    options?: RunOptions,
  ): Promise<readonly TensorValue[]>;
  /** The same on the calling thread, which is blocked meanwhile; only where the backend can. Throws EngineError. */
  runHere?(inputs: readonly TensorValue[], outputs: readonly string[]): readonly TensorValue[];
  /** What is wrong with the contents of a request, before it waits for anything: a text too long, say. Throws EngineError InvalidInput. */
  check?(inputs: readonly TensorValue[]): void;
  /** Resolves when no run is under way and the model's memory has been given back. */
  close(): Promise<void>;
}

/**
 * ModelFailed: the model refused this input at run time. EngineLost: what ran the model died or hung under the request.
 * InvalidInput: the caller's fault, found late. Overloaded: the queue is full, nothing was run. TooLate: the deadline
 * can't be met, nothing was run. Cancelled: the caller is gone. Closing: the model is being unloaded.
 */
export type EngineErrorKind =
  | 'ModelFailed'
  | 'EngineLost'
  | 'InvalidInput'
  | 'Overloaded'
  | 'TooLate'
  | 'Cancelled'
  | 'Closing';

export class EngineError extends Error {
  override readonly name = 'EngineError';
  readonly kind: EngineErrorKind;
  /** For Overloaded and TooLate: when to come again, milliseconds. */
  readonly retryAfterMs: number | undefined;
  constructor(kind: EngineErrorKind, message: string, retryAfterMs?: number) {
    super(message);
    this.kind = kind;
    this.retryAfterMs = retryAfterMs;
  }
}

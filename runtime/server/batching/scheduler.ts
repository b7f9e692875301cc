import type { TensorValue } from '../tensor.ts';

/** What the caller of one request wants beside its tensors. Times are milliseconds of the server's monotonic clock. */
export interface Order {
  /** Outputs to answer, in that order. */
  readonly outputs: readonly string[];
  /** 1 is the most urgent; 0, the default, lies in the middle. */
  readonly priority?: number;
  /** Moment by which the answer must be there. */
  readonly deadline?: number;
}

export interface Outcome {
  /** In the order asked for; memory of their own. */
  readonly outputs: readonly TensorValue[];
  /** Rows of the run this request was part of. */
  readonly batchRows: number;
  readonly queueMs: number;
  readonly computeMs: number;
  readonly cached: boolean;
}

/**
 * Room for the inputs of one request, given out before they are decoded so that they are written once, straight to
 * where the engine reads them. Exactly one of submit and release is called, once.
 */
export interface Lease {
  /** One for each input of the signature, in its order and of the leased shape. */
  readonly inputs: readonly TensorValue[];
  /** Throws (rejects) EngineError. */
  submit(order: Order): Submission;
  /** The request turned out to be wrong: the room goes back unused. */
  release(): void;
}

export interface Submission {
  readonly outcome: Promise<Outcome>;
  /** The caller is gone: queued work is dropped and counted; a run of which every member is gone is ended. */
  cancel(): void;
}

/** What the engine's side of one model version counts. All cumulative but the first two. */
export interface SchedulerCounts {
  readonly waiting: number;
  readonly running: number;
  readonly runs: number;
  readonly rows: number;
  readonly overloaded: number;
  readonly tooLate: number;
  readonly cancelledQueued: number;
  readonly cancelledRunning: number;
  readonly failedRuns: number;
  readonly cacheHits: number;
  readonly cacheMisses: number;
  readonly shared: number;
  /** Runs by rows: key is the number of rows. */
  readonly runsByRows: ReadonlyMap<number, { runs: number; computeMs: number }>;
}

export interface RunObserver {
  /**
   * Told of each successful run, before its memory is used again: all rows together. `outputs` are those that were
   * computed. Must not throw and must not keep what it is given.
   */
  ran(inputs: readonly TensorValue[], outputs: readonly TensorValue[], rows: number): void;
}

export interface Scheduler {
  /**
   * Room for one tensor of each input, by shape (validated against the signature: known dimensions equal, batch
   * dimension equal for all inputs of a batchable model). Throws EngineError Overloaded or Closing.
   */
  lease(shapes: readonly (readonly number[])[]): Lease;
  /** Whether requests of this model may share a run: every input and output has a free first dimension. */
  readonly batchable: boolean;
  counts(): SchedulerCounts;
  /** Takes nothing new; resolves when everything that was taken has been answered. */
  close(): Promise<void>;
}

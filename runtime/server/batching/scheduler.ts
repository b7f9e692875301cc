import type { EngineError } from '../engine/engine.ts';
import type { TensorValue } from '../tensor.ts';

/** Times are milliseconds of the server's monotonic clock. */
export interface Urgency {
  /** 1 is the most urgent, 9 (and all above) the least; 0, the default, lies in the middle and counts as 5. */
  readonly priority?: number;
  /** Moment by which the answer must be there. */
  readonly deadline?: number;
}

/** What the caller of one request wants beside its tensors. */
export interface Order extends Urgency {
  /** Outputs to answer, in that order. Pass the same array each time where you can: equal arrays are found fastest. */
  readonly outputs: readonly string[];
  /**
   * Answered only if that keeps nobody waiting: refused (Overloaded), and not counted as shed, unless the engine has
   * nothing to do and has not taken another such request a moment ago.
   */
  readonly yields?: boolean;
}

export interface Outcome {
  /** In the order asked for. Nobody writes to them again; the answers of one run may lie in one memory: copy what you keep. */
  readonly outputs: readonly TensorValue[];
  /** Rows of the run this request was part of. */
  readonly batchRows: number;
  readonly queueMs: number;
  readonly computeMs: number;
  readonly cached: boolean;
  /** The same object for all that one run answered; undefined: from memory. Only its identity says anything. */
  readonly run: object | undefined;
}

/**
 * Told of the end of one request, exactly once: either the error is undefined or the outcome. A callback and not a
 * promise, because a promise and its await cost ten times as much (0.3 to 1 µs), for each request of a tiny model.
 * Must not throw. See `answerOf` for a promise where speed does not count.
 */
export type Done = (error: EngineError | undefined, outcome: Outcome | undefined) => void;

/**
 * Room for the inputs of one request, given out before they are decoded so that they are written once, straight to
 * where the engine reads them. Exactly one of submit and release is called, once.
 */
export interface Lease {
  /** One for each input of the signature, in its order and of the leased shape. Not to be touched after submit. */
  readonly inputs: readonly TensorValue[];
  /** Never throws; `done` is never called before submit has returned, refusals (Overloaded, TooLate) included. */
  submit(order: Order, done: Done): Submission;
  /** The request turned out to be wrong: the room goes back unused. */
  release(): void;
}

export interface Submission {
  /**
   * The caller is gone: queued work is dropped and counted; a run of which every member is gone is ended. `done` is
   * told Cancelled before this returns. Does nothing after the answer.
   */
  cancel(): void;
}

/** The answer as a promise, for callers that ask seldom: golden requests, warm-up, tests. Rejects with EngineError. */
export const answerOf = (lease: Lease, order: Order): Promise<Outcome> =>
  new Promise((resolve, reject) => {
    lease.submit(order, (error, outcome) => (outcome ? resolve(outcome) : reject(error)));
  });

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
   * dimension equal for all inputs of a batchable model). Pass the order where it is known already: what would be
   * refused is then refused before anything is decoded. Throws EngineError Overloaded, TooLate or Closing.
   */
  lease(shapes: readonly (readonly number[])[], urgency?: Urgency): Lease;
  /** Whether requests of this model may share a run: every input and output has a free first dimension. */
  readonly batchable: boolean;
  counts(): SchedulerCounts;
  /** Takes nothing new; resolves when everything that was taken has been answered. */
  close(): Promise<void>;
}

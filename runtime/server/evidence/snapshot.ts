/** So many events and the time they took together, cumulative since the model version was loaded. */
export interface PhaseTotal {
  readonly count: number;
  /** Whole nanoseconds. */
  readonly ns: number;
}

/**
 * What one model version counted, in the terms of Triton's statistics extension (server
 * docs/protocol/extension_statistics.md). Runs by batch size and cache look-ups are the scheduler's counts.
 */
export interface EvidenceSnapshot {
  /** Epoch milliseconds of the newest answer; 0 before the first. */
  readonly lastInferenceMs: number;
  /** Rows of successful runs; a cached answer is none. */
  readonly inferenceCount: number;
  /** Successful runs. */
  readonly executionCount: number;
  /** Requests answered with 2xx, from their last body byte to the answer. */
  readonly success: PhaseTotal;
  /** All other requests. */
  readonly fail: PhaseTotal;
  readonly queue: PhaseTotal;
  /** Decoding. */
  readonly computeInput: PhaseTotal;
  readonly computeInfer: PhaseTotal;
  /** Encoding. */
  readonly computeOutput: PhaseTotal;
}

import type { Protocol, RequestOutcome } from './modelEvidence.ts';

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
  readonly requests: Readonly<Record<RequestOutcome, Readonly<Record<Protocol, number>>>>;
  /** Milliseconds; latency of served requests, the others of all that have them. */
  readonly durations: Readonly<Record<'latency' | 'queue' | 'compute' | 'decode' | 'encode', Histogram>>;
  /** Rows of successful runs. */
  readonly batchRows: Histogram;
  readonly nonFiniteValues: number;
}

/** Counts by upper bound; one more than bounds, the last for what lies beyond. */
export interface Histogram {
  readonly bounds: readonly number[];
  readonly counts: readonly number[];
  readonly sum: number;
}

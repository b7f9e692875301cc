import type { Evidence } from '@slipway/crds/contract';
import type { Outcome, RunObserver } from '../batching/scheduler.ts';
import type { TensorValue } from '../tensor.ts';

export type RequestOutcome = keyof Evidence['requests'];
export type Protocol = 'rest' | 'grpc';

/** One answered model request, as the protocol sides see it. Durations in milliseconds. */
export interface Answered {
  readonly outcome: RequestOutcome;
  readonly protocol: Protocol;
  /** From the last byte of the request to its answer. */
  readonly latencyMs: number;
  readonly decodeMs?: number;
  readonly encodeMs?: number;
  readonly queueMs?: number;
  readonly computeMs?: number;
  readonly rows?: number;
}

/** Everything one model version counts about its traffic. Cheap enough for each request of a tiny model. */
export interface ModelEvidence extends RunObserver {
  /** Called once for each answered model request. `now`: epoch milliseconds. */
  answered(request: Answered, now: number): void;
  /** An answer held `count` values that are not finite. */
  nonFinite(count: number): void;
  /** Remembers the answer of a request for a late label. */
  remember(id: string, outputs: Outcome['outputs']): void;
  /** A late label for a remembered request: 'right', 'wrong' or 'unknown' (no such request remembered). */
  label(id: string, label: string | number): 'right' | 'wrong' | 'unknown';
}

/** Told of each answered request with what was asked and answered: sampling, logs, traces and the shadow live here. */
export interface Exchange {
  readonly id: string | undefined;
  readonly protocol: Protocol;
  /** W3C traceparent of the caller, when it sent one. */
  readonly traceparent: string | undefined;
  /** Copies: the originals' memory is used again. */
  readonly inputs: readonly TensorValue[];
  readonly outcome: Outcome;
  readonly startedAt: number;
  readonly answered: Answered;
}

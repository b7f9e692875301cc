import type { Baseline, Evidence } from '@slipway/crds/contract';
import type { Outcome, RunObserver } from '../batching/scheduler.ts';
import type { TensorValue } from '../tensor.ts';
import type { EvidenceSnapshot } from './snapshot.ts';

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
  /** A copy for a second opinion was under way when it came, and may have kept it waiting: how long it took is not its own. */
  readonly besideCopy?: boolean;
}

/** Everything one model version counts about its traffic. Cheap enough for each request of a tiny model. */
export interface ModelEvidence extends RunObserver {
  /** What the counts of features and predictions are held against. */
  readonly baseline: Baseline | undefined;
  /** Called once for each answered model request. `now`: epoch milliseconds. */
  answered(request: Answered, now: number): void;
  /** Copies for a second opinion that are under way. */
  copying: number;
  /** Called once for each answered copy of a second opinion; 'invalid' besides, where its answer holds a value that is not finite. */
  copied(outcome: keyof NonNullable<Evidence['copies']>): void;
  /** An answer held `count` values that are not finite. */
  nonFinite(count: number): void;
  /** Remembers the answer of a request for a late label; of several rows, row i as `<id>#<i>`. `now`: epoch milliseconds. */
  remember(id: string, outputs: Outcome['outputs'], now: number): void;
  /**
   * A late label for a remembered request: 'right', 'wrong' or 'unknown' (no such request remembered). The first label
   * of an answer stands; a later one changes nothing. An unknown one is counted by `countUnknownLabels`, once nobody
   * else knows it either. Throws RequestError 400 for a label that names no class.
   */
  label(id: string, label: string | number | boolean, now: number): 'right' | 'wrong' | 'unknown';
  countUnknownLabels(labels: number): void;
  /** Totals for the statistics endpoint and for Prometheus. */
  snapshot(): EvidenceSnapshot;
  /** The counts of the evidence document; what the process knows beside them is added by evidenceOf. */
  counts(): EvidenceCounts;
}

/** The part of the evidence document that one model version counts itself. */
export type EvidenceCounts = Omit<Evidence, 'schema' | 'at' | 'model' | 'ready' | 'draining' | 'inFlight' | 'shadow'>;

/** What every watched request has, answered by the model or not. */
interface Watched {
  /** What Observation.wants answered. */
  readonly wanted: number;
  readonly id: string | undefined;
  readonly protocol: Protocol;
  /** W3C traceparent of the caller, when it sent one. */
  readonly traceparent: string | undefined;
  /** When its last byte was there: epoch milliseconds, with fractions where the clock has them. */
  readonly startedAt: number;
  readonly answered: Answered;
}

/** A wanted request with its answer. */
export interface Exchange extends Watched {
  /** Copies that nobody else holds, in the order of the signature; empty unless `wanted` has the bit `inputs`. */
  readonly inputs: readonly TensorValue[];
  readonly outcome: Outcome;
}

/** A request without an answer of the model. */
export interface UnservedExchange extends Watched {
  /** HTTP status of the answer, or what it would have been over HTTP. */
  readonly status: number;
  /** The sentence that went back. */
  readonly sentence: string;
}

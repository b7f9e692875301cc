import { EVIDENCE_SCHEMA, type Evidence, LATENCY_BOUNDS_MS } from '@slipway/crds/contract';
import { BatchCounter } from './batches.ts';
import type { ModelIdentity } from './config.ts';

export const REQUEST_OUTCOMES = [
  'ok',
  'clientError',
  'serverError',
  'shed',
] as const satisfies (keyof Evidence['requests'])[];
export type RequestOutcome = (typeof REQUEST_OUTCOMES)[number];

/** Whether the model was asked: latency and batches are about these only. */
export const isServed = (outcome: RequestOutcome): boolean => outcome === 'ok' || outcome === 'serverError';

/** 503 is a refusal to serve, not a failure of the model: a guard must not blame a version for a burst. */
export function outcomeOf(status: number): RequestOutcome {
  if (status === 503) return 'shed';
  if (status >= 500) return 'serverError';
  return status >= 400 ? 'clientError' : 'ok';
}

export interface EvidenceState {
  readonly ready: boolean;
  readonly draining: boolean;
  readonly inFlight: number;
}

/** Counts the answers to model requests of this process. Time comes from the caller. */
export class EvidenceLedger {
  readonly #model: ModelIdentity;
  readonly #epoch: string;
  readonly #startedAt: Date;
  readonly #requests = { ok: 0, clientError: 0, serverError: 0, shed: 0 };
  readonly #batches = new BatchCounter();
  readonly #latencyCounts: number[] = new Array(LATENCY_BOUNDS_MS.length + 1).fill(0);
  #latencySumMs = 0;

  /** `epoch` must differ from that of every other process of this pod's life. */
  constructor(model: ModelIdentity, epoch: string, startedAt: Date) {
    this.#model = model;
    this.#epoch = epoch;
    this.#startedAt = startedAt;
  }

  record(outcome: RequestOutcome, latencyMs: number, now: Date): void {
    this.#requests[outcome] += 1;
    if (!isServed(outcome)) return;
    this.#batches.record(outcome === 'serverError', now.getTime());
    const bucket = LATENCY_BOUNDS_MS.findIndex((bound) => latencyMs <= bound);
    const index = bucket < 0 ? LATENCY_BOUNDS_MS.length : bucket;
    this.#latencyCounts[index] = (this.#latencyCounts[index] ?? 0) + 1;
    this.#latencySumMs += latencyMs;
  }

  read(state: EvidenceState, now: Date): Evidence {
    return {
      schema: EVIDENCE_SCHEMA,
      epoch: this.#epoch,
      startedAt: this.#startedAt.toISOString(),
      at: now.toISOString(),
      model: this.#model,
      ...state,
      requests: { ...this.#requests },
      batches: this.#batches.read(),
      latency: { boundsMs: [...LATENCY_BOUNDS_MS], counts: [...this.#latencyCounts], sumMs: this.#latencySumMs },
    };
  }
}

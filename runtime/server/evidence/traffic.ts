import { type Evidence, LATENCY_BOUNDS_MS } from '@slipway/crds/contract';
import { BATCH_WORDS, batchesOf, countInBatch } from './batches.ts';
import { countOf, histogramOf, histogramWords, observe } from './histogram.ts';
import type { Answered, Protocol, RequestOutcome } from './modelEvidence.ts';
import { isServed, PROTOCOLS, REQUEST_OUTCOMES } from './outcome.ts';
import type { EvidenceSnapshot, Histogram, PhaseTotal } from './snapshot.ts';

const TIMES = Float64Array.from(LATENCY_BOUNDS_MS);
const SIZES = Float64Array.from({ length: 13 }, (_, power) => 2 ** power);
const TIME_WORDS = histogramWords(TIMES);

/** Words of everything that is counted whatever the model is. */
export const TRAFFIC_WORDS = {
  requests: REQUEST_OUTCOMES.length * PROTOCOLS.length,
  batches: BATCH_WORDS,
  latency: TIME_WORDS,
  queue: TIME_WORDS,
  compute: TIME_WORDS,
  decode: TIME_WORDS,
  encode: TIME_WORDS,
  batchRows: histogramWords(SIZES),
  /** Milliseconds of requests answered with 2xx, and of all others. */
  totals: 2,
  /** Epoch milliseconds of the newest answer. */
  newest: 1,
  /** Answers that held a value that is not finite, and such values. */
  invalid: 2,
  /** Copies for a second opinion, by COPY_AT. */
  copies: 4,
} as const;
type Sections = Readonly<Record<keyof typeof TRAFFIC_WORDS, Float64Array>>;

const OUTCOME_AT: Readonly<Record<RequestOutcome, number>> = { ok: 0, clientError: 2, serverError: 4, shed: 6 };

type Copied = keyof NonNullable<Evidence['copies']>;
const COPY_AT: Readonly<Record<Copied, number>> = { ok: 0, clientError: 1, serverError: 2, invalid: 3 };

const add = (words: Float64Array, at: number, amount: number): void => {
  words[at] = (words[at] as number) + amount;
};

/** Counts the requests and runs of one model version. Nothing here allocates. */
export class Traffic {
  readonly #sections: Sections;

  constructor(sections: Sections) {
    this.#sections = sections;
  }

  answered(request: Answered, now: number): void {
    const { requests, batches, latency, queue, compute, decode, encode, totals, newest } = this.#sections;
    const { outcome, latencyMs, besideCopy = false } = request;
    add(requests, OUTCOME_AT[outcome] + (request.protocol === 'grpc' ? 1 : 0), 1);
    add(totals, outcome === 'ok' ? 0 : 1, latencyMs);
    if (now > (newest[0] as number)) newest[0] = now;
    if (isServed(outcome)) {
      countInBatch(batches, outcome === 'serverError', now);
      if (!besideCopy) observe(TIMES, latency, latencyMs);
    }
    if (request.queueMs !== undefined) observe(TIMES, queue, request.queueMs);
    if (request.computeMs !== undefined) observe(TIMES, compute, request.computeMs);
    if (request.decodeMs !== undefined) observe(TIMES, decode, request.decodeMs);
    if (request.encodeMs !== undefined) observe(TIMES, encode, request.encodeMs);
  }

  copied(outcome: Copied): void {
    add(this.#sections.copies, COPY_AT[outcome], 1);
  }

  ran(rows: number): void {
    observe(SIZES, this.#sections.batchRows, rows);
  }

  nonFinite(count: number): void {
    if (count <= 0) return;
    add(this.#sections.invalid, 0, 1);
    add(this.#sections.invalid, 1, count);
  }

  counts(): Pick<Evidence, 'requests' | 'batches' | 'latency' | 'queue' | 'compute' | 'invalid' | 'copies'> {
    const { batches, latency, queue, compute, invalid, copies } = this.#sections;
    const { ok, clientError, serverError, shed } = this.#requests();
    const sum = ({ rest, grpc }: Record<Protocol, number>) => rest + grpc;
    return {
      requests: { ok: sum(ok), clientError: sum(clientError), serverError: sum(serverError), shed: sum(shed) },
      batches: batchesOf(batches),
      latency: inMilliseconds(latency),
      queue: inMilliseconds(queue),
      compute: inMilliseconds(compute),
      invalid: invalid[0] as number,
      copies: {
        ok: copies[COPY_AT.ok] as number,
        clientError: copies[COPY_AT.clientError] as number,
        serverError: copies[COPY_AT.serverError] as number,
        invalid: copies[COPY_AT.invalid] as number,
      },
    };
  }

  snapshot(): EvidenceSnapshot {
    const { latency, queue, compute, decode, encode, batchRows, totals, newest, invalid } = this.#sections;
    const requests = this.#requests();
    const ok = requests.ok.rest + requests.ok.grpc;
    const all = REQUEST_OUTCOMES.reduce((sum, outcome) => sum + requests[outcome].rest + requests[outcome].grpc, 0);
    const sizes = histogramOf(SIZES, batchRows);
    const durations = {
      latency: histogramOf(TIMES, latency),
      queue: histogramOf(TIMES, queue),
      compute: histogramOf(TIMES, compute),
      decode: histogramOf(TIMES, decode),
      encode: histogramOf(TIMES, encode),
    };
    return {
      lastInferenceMs: newest[0] as number,
      inferenceCount: sizes.sum,
      executionCount: countOf(sizes),
      success: { count: ok, ns: nanoseconds(totals[0] as number) },
      fail: { count: all - ok, ns: nanoseconds(totals[1] as number) },
      queue: totalOf(durations.queue),
      computeInput: totalOf(durations.decode),
      computeInfer: totalOf(durations.compute),
      computeOutput: totalOf(durations.encode),
      requests,
      durations,
      batchRows: sizes,
      nonFiniteValues: invalid[1] as number,
    };
  }

  #requests(): Record<RequestOutcome, Record<Protocol, number>> {
    const at = (outcome: RequestOutcome) => {
      const [rest = 0, grpc = 0] = this.#sections.requests.subarray(OUTCOME_AT[outcome]);
      return { rest, grpc };
    };
    return { ok: at('ok'), clientError: at('clientError'), serverError: at('serverError'), shed: at('shed') };
  }
}

function inMilliseconds(words: Float64Array): Evidence['latency'] {
  const { bounds, counts, sum } = histogramOf(TIMES, words);
  return { boundsMs: [...bounds], counts: [...counts], sumMs: sum };
}

const nanoseconds = (milliseconds: number): number => Math.round(milliseconds * 1e6);

const totalOf = (histogram: Histogram): PhaseTotal => ({ count: countOf(histogram), ns: nanoseconds(histogram.sum) });

import type { Exchange, UnservedExchange } from '../evidence/modelEvidence.ts';

/** Bits of what `wants` answers. Callers look at zero, at `inputs`, and hand the number on. */
export const WANTED = {
  trace: 1,
  log: 2,
  sample: 4,
  shadow: 8,
  /** Somebody needs the input tensors: copy them before `submit`, after which their room is used again. */
  inputs: 16,
} as const;

/** What watches single requests: sampled logs, the sample sink, traces, the shadow. Decided before anything is copied. */
export interface Observation {
  /**
   * Who wants this request: bits of WANTED, 0 for nobody; one random number at most. Nobody costs nothing more.
   * `shadow`: the request is a copy that another pod made (it carries REQUEST_HEADERS.shadow), and is not copied again.
   */
  wants(traceparent: string | undefined, shadow: boolean): number;
  /** A wanted request was answered. Never throws, never waits: what can't be taken is dropped and counted. */
  take(exchange: Exchange): void;
  /** A request got no answer of the model (every 4xx and 5xx): errors of the server are logged, a wanted one is traced. */
  failed(exchange: UnservedExchange): void;
  /** Flushes what is under way; bounded. */
  close(): Promise<void>;
}

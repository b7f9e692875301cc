import type { Exchange } from '../evidence/modelEvidence.ts';

/** What watches single requests: sampled logs, the sample sink, traces, the shadow. Decided before anything is copied. */
export interface Observation {
  /** Whether anybody wants this request; one random number at most. False costs nothing more. */
  wants(traceparent: string | undefined): boolean;
  /** The copies of a wanted exchange. Never throws, never waits: what can't be taken is dropped and counted. */
  take(exchange: Exchange): void;
  /** Flushes what is under way; bounded. */
  close(): Promise<void>;
}

import type { Protocol, RequestOutcome } from './modelEvidence.ts';

export const REQUEST_OUTCOMES = [
  'ok',
  'clientError',
  'serverError',
  'shed',
] as const satisfies readonly RequestOutcome[];
export const PROTOCOLS = ['rest', 'grpc'] as const satisfies readonly Protocol[];

/** Whether the model was asked: latency and the per-second batches are about these only. */
export const isServed = (outcome: RequestOutcome): boolean => outcome === 'ok' || outcome === 'serverError';

/** 503 is a refusal to serve, not a failure of the model: a guard must not blame a version for a burst. */
export function outcomeOf(status: number): RequestOutcome {
  if (status === 503) return 'shed';
  if (status >= 500) return 'serverError';
  return status >= 400 ? 'clientError' : 'ok';
}

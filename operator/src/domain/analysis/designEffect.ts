import type { Counts } from './confidenceSequence.ts';
import { requestsOf, type Tally } from './tally.ts';

/**
 * Design effect φ: how many times larger the variance of the failure count is than that of independent requests,
 * from one-second batches: (Σ f²/n − F²/N) / ((batches − 1)·p·(1 − p)), the Pearson dispersion. Failures come in
 * bursts (one bad host, one bad client), and n requests of a burst are worth n/φ independent ones. Never below 1:
 * a run that happens to look too regular earns no extra certainty.
 * Source: Kish 1965 (design effect); McCullagh & Nelder 1989, §4.5.2 (dispersion from grouped binary counts).
 */
export function designEffect({ ok, clientError, serverError, batchSeconds, failedSquaredOverServed }: Tally): number {
  const served = ok + clientError + serverError;
  const p = served === 0 ? 0 : serverError / served;
  const independent = (batchSeconds - 1) * p * (1 - p);
  if (independent <= 0) return 1;
  return Math.max(1, (failedSquaredOverServed - (serverError * serverError) / served) / independent);
}

/** Requests a client saw fail (5xx, a refusal under load included) of all of them, both divided by φ. */
export function errorCounts(tally: Tally): Counts {
  const phi = designEffect(tally);
  return { hits: (tally.serverError + tally.shed) / phi, total: requestsOf(tally) / phi };
}

import type { Counts } from './confidenceSequence.ts';
import { type Batches, requestsOf, type Tally } from './tally.ts';

/**
 * Correlation of two requests of the same second that is assumed before anything is known: a second of any number of
 * requests is worth at most 1/0.05 = 20 independent ones.
 */
const PRIOR_CORRELATION = 0.05;
/** How many batches that assumption weighs. */
const PRIOR_BATCHES = 4;

/**
 * Design effect φ: how many times larger the variance of `hits` is than that of independent questions. Hits come in
 * bursts (one bad host, one bad client), and n questions of a burst are worth n/φ independent ones. The Pearson
 * dispersion of the batches, (Σ h²/n − H²/N) / ((k − 1)·p·(1 − p)), says nothing after one batch and little after five,
 * so it is averaged with what a correlation of 0.05 within a batch would make, 1 + (N/k − 1)·0.05, as if that had been
 * seen in four batches. Never below 1: a run that happens to look too regular earns no extra certainty. Without any
 * batch the questions are taken as independent.
 * Source: Kish 1965 (design effect, 1 + (m − 1)ρ); McCullagh & Nelder 1989, §4.5.2 (dispersion from grouped binary
 * counts); Gelman et al., Bayesian Data Analysis, §2.6 (scaled inverse χ² prior of a variance).
 */
export function designEffect(hits: number, total: number, { count, squaredOverTotal }: Batches): number {
  if (count <= 0 || total <= 0) return 1;
  const p = Math.min(1, hits / total);
  const prior = 1 + Math.max(0, total / count - 1) * PRIOR_CORRELATION;
  const spread = p * (1 - p);
  const seen = spread > 0 ? Math.max(0, squaredOverTotal - (hits * hits) / total) / spread : count - 1;
  return Math.max(1, (PRIOR_BATCHES * prior + seen) / (PRIOR_BATCHES + count - 1));
}

/** Counts divided by their design effect: what as many independent questions would have been worth. */
export function effectiveCounts(hits: number, total: number, batches: Batches): Counts {
  const phi = designEffect(hits, total, batches);
  return { hits: hits / phi, total: total / phi };
}

/** Requests a client saw fail (5xx, a refusal under load included) of all of them, both divided by φ of the served ones. */
export function errorCounts(tally: Tally): Counts {
  const { ok, clientError, serverError, shed, batchSeconds, failedSquaredOverServed } = tally;
  const batches = { count: batchSeconds, squaredOverTotal: failedSquaredOverServed };
  const phi = designEffect(serverError, ok + clientError + serverError, batches);
  return { hits: (serverError + shed) / phi, total: requestsOf(tally) / phi };
}

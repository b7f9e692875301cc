import type { Counts } from './confidenceSequence.ts';
import { type Batches, requestsOf, type Tally } from './tally.ts';

/**
 * Correlation of two questions of one batch that is assumed before anything is known: however many it has, a batch is
 * then worth few independent ones. Bursts are the reason: one bad second is not a bad version. Seconds that fail so many
 * times as often as the rest are the more correlated the higher the rate is (with a factor of 10 in a tenth of the
 * seconds by 2p/(1 − p)), so that the assumption grows with the rate that is tested; twice as fast above 10 %, where bad seconds fail whole.
 */
const assumedCorrelation = (tested: number): number =>
  Math.min(0.9, 0.08 + 2.4 * tested + 2.4 * Math.max(0, tested - HIGH));
const HIGH = 0.1;
/** Where two versions are compared no rate is tested: a correlation of 0.12, so that a second is worth eight at most. */
const COMPARED = 1 / 60;
/**
 * How many batches that assumption weighs against what was seen. More at high rates, where a few seconds that fail whole
 * in a row are all that it takes: their alikeness would take the assumption away.
 */
const assumedBatches = (tested: number): number => Math.min(15, 5 + 50 * Math.max(0, tested - HIGH));
/** Bursts outlast a second, which batches of a second can't show: three seconds for a correlation of 0.5 from one to the next. */
const PERSISTENCE = 3;
/** Standard deviations of chance that a dispersion must exceed before it counts, so that a steady fault is not taken for bursts. */
const CHANCE = 1;

/**
 * What the batches vary beyond independent questions: (k − 1)(φ − 1) on average. That they vary less earns nothing: two
 * bad seconds in a row are as alike as two of a steady fault, and would take the assumption away that is there for them.
 */
function excessDispersion(hits: number, total: number, { count, squaredOverTotal }: Batches): number {
  const p = Math.min(1, hits / total);
  const spread = p * (1 - p);
  if (spread <= 0) return 0;
  const excess = Math.max(0, squaredOverTotal - (hits * hits) / total) / spread - (count - 1);
  return Math.max(0, excess - CHANCE * Math.sqrt(2 * (count - 1)));
}

/**
 * Design effect φ: how many times larger the variance of `hits` is than that of independent questions. Hits come in
 * bursts (one bad host, one bad client), and n questions of a burst are worth n/φ independent ones. What the batches
 * show is their Pearson dispersion, (Σ h²/n − H²/N)/(p(1 − p)) − (k − 1), less what chance makes of a χ² with k − 1
 * degrees of freedom. One batch shows nothing and five show little, so it is averaged with the assumption, as if that
 * had been seen in five batches or more; it counts three times, for bursts that last, and for those that the pod's seconds cut
 * in two. Its first and its last second are cut by the looks: both together count as one, or a look a moment after a
 * second began would take batches for smaller than they are. φ is never below 1: a run that happens to look too regular
 * earns no extra certainty. Without any batch the questions are taken as independent.
 * `tested`: the rate that they are held against, where there is one.
 * Source: Kish 1965 (design effect, 1 + (m − 1)ρ); McCullagh & Nelder 1989, §4.5.2 (dispersion from grouped binary
 * counts); Gelman et al., Bayesian Data Analysis, §2.6 (a prior variance as so many observations); Bartlett 1946 (the
 * variance of a mean of correlated terms is (1 + r)/(1 − r) times that of independent ones). The constants are the least
 * that keep the promise of docs/statistics.md in its simulation.
 */
export function designEffect(hits: number, total: number, batches: Batches, tested = COMPARED): number {
  const { count } = batches;
  if (count <= 0 || total <= 0) return 1;
  const others = Math.max(0, total / Math.max(1, count - 1) - 1);
  const weight = assumedBatches(tested);
  const assumed = weight * others * assumedCorrelation(tested);
  const seen = PERSISTENCE * excessDispersion(hits, total, batches);
  return Math.max(1, 1 + (assumed + seen) / (weight + count - 1));
}

/**
 * The rate that two versions are tested at when they are compared: three quarters of what the stable one has, with the margin. Bad
 * seconds hit either, and a difference needs more of them than a limit: all of that rate would cost time for nothing.
 */
export const comparedAt = (stable: Counts, margin: number): number =>
  Math.max(COMPARED, (3 * (stable.hits / Math.max(1, stable.total) + margin)) / 4);

/** Counts divided by their design effect: what as many independent questions would have been worth. */
export function effectiveCounts(hits: number, total: number, batches: Batches, tested?: number): Counts {
  const phi = designEffect(hits, total, batches, tested);
  return { hits: hits / phi, total: total / phi };
}

/**
 * Effective counts of two windows as one. Where the traffic of the two differs much, as before and after a weight was
 * raised, this is what to judge: one design effect for both is that of the mean second, which is too small for the
 * busier one, and a burst in its first seconds would count in full.
 */
export const together = (a: Counts, b: Counts): Counts => ({ hits: a.hits + b.hits, total: a.total + b.total });

/** Requests a client saw fail (5xx, a refusal under load included) of all of them, both divided by φ of the served ones. */
export function errorCounts(tally: Tally, tested?: number): Counts {
  const { ok, clientError, serverError, shed, batchSeconds, failedSquaredOverServed } = tally;
  const batches = { count: batchSeconds, squaredOverTotal: failedSquaredOverServed };
  const phi = designEffect(serverError, ok + clientError + serverError, batches, tested);
  return { hits: (serverError + shed) / phi, total: requestsOf(tally) / phi };
}

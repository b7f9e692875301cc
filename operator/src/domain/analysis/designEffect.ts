import type { Counts } from './confidenceSequence.ts';
import { type Batches, noBatches, requestsOf, type Tally } from './tally.ts';

/** What is assumed of the batches before anything is known. */
export interface Assumption {
  /** Of two questions of one batch: however many it has, a batch is then worth few independent ones. */
  readonly correlation: number;
  /** How many batches that weighs against what was seen. */
  readonly batches: number;
}

/** Where nothing is tested: a second is worth eight questions at most. */
const UNTESTED: Assumption = { correlation: 0.12, batches: 5 };
/** Above it bad seconds fail whole. */
const HIGH = 0.1;

/**
 * Bursts are the reason: one bad second is not a bad version. Seconds that fail so many times as often as the rest are the
 * more correlated the higher the rate is (with a factor of 10 in a tenth of the seconds by 2p/(1 − p)), so that the
 * assumption grows with the rate that is tested. At high rates it grows faster and weighs more: a few seconds that fail
 * whole in a row are then all that it takes, and are so alike that they would take the assumption away.
 */
function testedAt(rate: number): Assumption {
  const above = Math.max(0, rate - HIGH);
  return { correlation: Math.min(0.9, 0.08 + 2.4 * (rate + above)), batches: Math.min(15, 5 + 50 * above) };
}

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

/** What the stable version showed before and since: its batches, in how many seconds of how many pods. */
export interface History extends Counts {
  readonly batches: Batches;
  /** How many pods had a batch for each of their seconds. */
  readonly pods: number;
}
export const noHistory: History = { hits: 0, total: 0, batches: noBatches, pods: 1 };

/** Seconds of history that weigh as much as the assumption: good times last for some, and say nothing of the bad ones. */
const HISTORY_SECONDS = 150;
/** What a history shows counts so many times: a few bad seconds in a row are as many looks at one bad time. */
const LASTING = 10;
const MOST = 0.65;

/**
 * Correlation within a batch that the history shows, of a version that has this rate now: bad seconds that fail so many
 * times as often as the rest make it grow with the rate.
 */
function shownBy({ hits, total, batches }: History, rate: number): number {
  const others = total - batches.count;
  if (hits <= 0 || others <= 0) return 0;
  const shown = (LASTING * excessDispersion(hits, total, batches)) / others;
  return shown * Math.max(1, (rate * total) / hits);
}

/**
 * Of two versions that are compared: what is as good as the stable version has bad seconds as it has. By the rate of the
 * stable one with the margin, about twice as much as where that is a limit, as in good times it shows half of what it has;
 * then by what its history shows of its bad seconds, the more the longer that is. Bad seconds hit either version, so
 * that it need not weigh more.
 */
export function comparedAt(stable: Counts, margin: number, history: History = noHistory): Assumption {
  const rate = stable.hits / Math.max(1, stable.total) + margin;
  const seconds = history.batches.count / Math.max(1, history.pods);
  const unknown = Math.min(MOST, 0.06 + 5.8 * rate);
  const known = Math.min(MOST, shownBy(history, rate));
  const correlation = (HISTORY_SECONDS * unknown + seconds * known) / (HISTORY_SECONDS + seconds);
  return { correlation: Math.max(UNTESTED.correlation, correlation), batches: UNTESTED.batches };
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
 * `tested`: the rate that they are held against, or what is assumed.
 * Source: Kish 1965 (design effect, 1 + (m − 1)ρ); McCullagh & Nelder 1989, §4.5.2 (dispersion from grouped binary
 * counts); Gelman et al., Bayesian Data Analysis, §2.6 (a prior variance as so many observations); Bartlett 1946 (the
 * variance of a mean of correlated terms is (1 + r)/(1 − r) times that of independent ones). The constants are the least
 * that keep the promise of docs/statistics.md in its simulation.
 */
export function designEffect(
  hits: number,
  total: number,
  batches: Batches,
  tested: number | Assumption = UNTESTED,
): number {
  const { count } = batches;
  if (count <= 0 || total <= 0) return 1;
  const others = Math.max(0, total / Math.max(1, count - 1) - 1);
  const { correlation, batches: weight } = typeof tested === 'number' ? testedAt(tested) : tested;
  const assumed = weight * others * correlation;
  const seen = PERSISTENCE * excessDispersion(hits, total, batches);
  return Math.max(1, 1 + (assumed + seen) / (weight + count - 1));
}

/** Counts divided by their design effect: what as many independent questions would have been worth. */
export function effectiveCounts(hits: number, total: number, batches: Batches, tested?: number | Assumption): Counts {
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
export function errorCounts(tally: Tally, tested?: number | Assumption): Counts {
  const { ok, clientError, serverError, shed, batchSeconds, failedSquaredOverServed } = tally;
  const batches = { count: batchSeconds, squaredOverTotal: failedSquaredOverServed };
  const phi = designEffect(serverError, ok + clientError + serverError, batches, tested);
  return { hits: (serverError + shed) / phi, total: requestsOf(tally) / phi };
}

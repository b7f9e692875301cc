import { requestsOf } from '../analysis/tally.ts';
import { elapsedMs } from './steps.ts';
import { candidatePercent, TOTAL_WEIGHT } from './weights.ts';
import type { CandidateStatus, World } from './world.ts';

/** Standard deviations of a binomial count that chance may explain: one false alarm in 15,000 looks. */
const BAND = 4;
/** Requests in flight while weights changed, and pods read a moment apart, are no sign of a wrong split. */
const SLACK = 0.02;
/** A request that was under way when the weights changed says nothing about them. */
const STRAGGLERS = 1;
/** A service that nobody calls is given this long at each weight before its silence is taken for agreement. */
const SILENCE_MS = 10_000;

export interface Split {
  readonly stable: number;
  readonly candidate: number;
}

/** Requests each version counted since the weights were programmed. undefined: not both sides are seen. */
export function observedSplit({ evidence, status }: World, candidate: CandidateStatus): Split | undefined {
  const [of, against] = [evidence[candidate.revision], evidence[status.stable?.revision ?? '']];
  if (of === undefined || against === undefined) return undefined;
  return { stable: requestsOf(against.sinceStep), candidate: requestsOf(of.sinceStep) };
}

/** The split in parts of 10,000, for the status. */
export const observedWeights = (split: Split | undefined): Split | undefined => {
  const total = split === undefined ? 0 : split.stable + split.candidate;
  if (split === undefined || total === 0) return undefined;
  const candidate = Math.round((split.candidate / total) * TOTAL_WEIGHT);
  return { stable: TOTAL_WEIGHT - candidate, candidate };
};

/** Whether a count of `hits` in `total` is one that a share of `p` gives, up to chance and slack. */
export const withinBand = (hits: number, total: number, p: number): boolean =>
  Math.abs(hits - total * p) <= BAND * Math.sqrt(total * p * (1 - p)) + total * SLACK + 1;

/** Whether next to nothing was counted: then no split can be told. */
export const isSilent = (split: Split | undefined): boolean =>
  split === undefined || split.stable + split.candidate <= STRAGGLERS;

/**
 * Whether the pods confirm the split the gateway says it has. Silence confirms nothing: with guards the rollout waits
 * for traffic, and without any it goes on after ten seconds of it.
 */
export function observedAgrees(world: World, candidate: CandidateStatus): boolean {
  const split = observedSplit(world, candidate);
  if (split === undefined || isSilent(split)) {
    const judged = (world.spec.rollout.guards?.length ?? 0) > 0;
    return !judged && elapsedMs(candidate.stepStartedAt, world.now) >= SILENCE_MS;
  }
  return withinBand(split.candidate, split.stable + split.candidate, candidatePercent(candidate) / 100);
}

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

/** How far a count of a share `p` in `total` may be off by chance and slack. */
const band = (total: number, p: number): number => BAND * Math.sqrt(total * p * (1 - p)) + total * SLACK + 1;

/** Whether a count of `hits` in `total` is one that a share of `p` gives. */
export const withinBand = (hits: number, total: number, p: number): boolean =>
  Math.abs(hits - total * p) <= band(total, p);

/**
 * Whether the counts fit a weight between none and all when more than the weight decides. Requests that a header sends
 * to the candidate come on top of its share, so only too few are a sign of a wrong split; those that a header keeps at
 * the stable version lower it, so only too many are. With a session key the *users* are split, and some make a
 * thousand requests where others make one: no share of requests follows from a share of users, and what is left to ask
 * is that no side that should have requests goes without.
 */
function fits({ stable, candidate }: Split, p: number, { sessionKey, routes = [] }: World['spec']['traffic']): boolean {
  if (sessionKey !== undefined && p < 1) return candidate > 0;
  const total = stable + candidate;
  const tooFew = candidate < total * p - band(total, p);
  const tooMany = candidate > total * p + band(total, p);
  const more = routes.some(({ to }) => to === 'Candidate');
  const less = routes.some(({ to }) => to === 'Stable');
  return (!tooFew || less) && (!tooMany || more);
}

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
  return fits(split, candidatePercent(candidate) / 100, world.spec.traffic);
}

import { excludes } from '../../analysis/confidenceSequence.ts';
import { sharedFault } from '../../analysis/sharedFault.ts';
import { drawn, type Traffic } from '../../analysis/simulation/traffic.ts';
import { mulberry32 } from '../../analysis/simulation.ts';
import { noRequests, rateKey, type Tally } from '../../analysis/tally.ts';
import { FIRST_REST_MS, LONGEST_MS } from '../../rollout/secondOpinion.ts';
import { SUSPICION } from '../againstLimit.ts';
import { batchedRate, countsWithCopies } from '../tallyRate.ts';
import { OpenSeconds } from './openSeconds.ts';

const LIVE = 'live/errors';
const ERRORS = batchedRate(
  'requests',
  LIVE,
  ({ serverError }) => serverError,
  ({ ok, serverError }) => ok + serverError,
  {
    key: rateKey.copyErrors,
    asked: ({ ok, serverError }) => ok + serverError,
    hits: ({ serverError }) => serverError,
  },
);

export const TICKS = 20;
const LOOK = TICKS / 2;
const LOOK_WITH_COPIES = TICKS / 4;
/** From the look that doubts to the first copy that is answered. */
const ON_THE_WAY = 2;
const RISK_OF_A_PASS = 0.05;

/** A candidate that is asked with copies while it is in doubt, against a limit. */
export interface CopiedRollout {
  readonly traffic: Traffic;
  readonly rate: number;
  readonly limit: number;
  /** Risks at which a Fail is looked for, the largest first. */
  readonly alphas: readonly number[];
  /** Live requests of the candidate a second. */
  readonly perSecond: number;
  /** Copies a second while it is in doubt; 0: it is asked with none. */
  readonly copies: number;
  readonly seconds: number;
  readonly seed: number;
  /** Copies have bad seconds of their own: those whose requests are copied are others. Default: the same seconds are bad. */
  readonly apart?: boolean;
  /** So many copies in a row are of one request, and fail together. Default 1. */
  readonly alike?: number;
  /** Live requests of the stable version a second, which fail as those of the candidate: the fault is of neither. */
  readonly stablePerSecond?: number;
}

/** Copies in groups of one request each, whose answer is that of the first. */
function inGroups(uniform: () => number, alike: number): (count: number, rate: number) => number {
  let [left, fails] = [0, false];
  return (count, rate) => {
    if (alike === 1) return drawn(uniform, count, rate);
    let hits = 0;
    for (let copy = 0; copy < count; copy += 1) {
      if (left === 0) [left, fails] = [alike, uniform() < rate];
      left -= 1;
      if (fails) hits += 1;
    }
    return hits;
  };
}

const tallyOf = (live: OpenSeconds, copied: OpenSeconds): Tally => ({
  ...noRequests,
  ok: live.total - live.hits,
  serverError: live.hits,
  copies: { ...noRequests.copies, ok: copied.total - copied.hits, serverError: copied.hits },
  batches: { [LIVE]: live.batches, [rateKey.copyErrors]: copied.batches },
});

/**
 * Ticks from the first failure that a user felt to the Fail at each of the risks; undefined: it was not failed. The next
 * rest after a second opinion is as short as the first, and no copy is refused: as many copies as there can be.
 */
export function failedAfter(rollout: CopiedRollout): readonly (number | undefined)[] {
  const { traffic, rate, limit, alphas, perSecond, copies, seconds, apart, alike = 1, stablePerSecond = 0 } = rollout;
  const uniform = mulberry32(rollout.seed);
  const next = traffic(uniform, rate);
  const nextOfCopies = apart === true ? traffic(uniform, rate) : undefined;
  const [turns, ends] = [Math.floor(uniform() * TICKS), Math.floor(uniform() * TICKS)];
  const [live, copied, stable] = [new OpenSeconds(), new OpenSeconds(), new OpenSeconds()];
  const portion = (each: number): number => Math.floor(each / TICKS + uniform());
  const copiesThatFail = inGroups(uniform, alike);
  const found: (number | undefined)[] = alphas.map(() => undefined);
  let now = next();
  let ofCopies = nextOfCopies?.() ?? now;
  let [look, first, from, until, rested] = [Math.floor(uniform() * LOOK), -1, 0, 0, 0];
  for (let tick = 0; tick < seconds * TICKS; tick += 1) {
    if (tick % TICKS === turns) {
      now = next();
      ofCopies = nextOfCopies?.() ?? now;
    }
    if (tick % TICKS === ends) for (const side of [live, copied]) side.end();
    live.add(uniform, portion(perSecond), now);
    if (stablePerSecond > 0) stable.add(uniform, portion(stablePerSecond), now);
    if (first < 0 && live.hits > 0) first = tick;
    const some = tick >= from && tick < until ? portion(copies) : 0;
    copied.count(copiesThatFail(some, ofCopies), some);
    if (tick < look) continue;
    look = tick + (tick < until ? LOOK_WITH_COPIES : LOOK);
    if (live.hits + copied.hits <= limit * (live.total + copied.total)) continue;
    const tally = tallyOf(live, copied);
    const counts = countsWithCopies(ERRORS, tally, limit);
    const isBlamed = (fail: number): boolean =>
      excludes(counts, fail, limit) &&
      !sharedFault(ERRORS.counts(tally, limit), stable, limit, { fail, pass: RISK_OF_A_PASS });
    for (const [i, alpha] of alphas.entries()) if (found[i] === undefined && isBlamed(alpha)) found[i] = tick - first;
    if (found.at(-1) !== undefined) break;
    if (copies === 0 || tick < rested || !excludes(counts, SUSPICION, limit)) continue;
    [from, until] = [tick + ON_THE_WAY, tick + (LONGEST_MS / 1000) * TICKS];
    rested = until + (FIRST_REST_MS / 1000) * TICKS;
    look = tick + ON_THE_WAY;
  }
  return found;
}

import { comparedAt } from '../designEffect.ts';
import { exceeds } from '../difference.ts';
import { sharedFault } from '../sharedFault.ts';
import { mulberry32 } from '../simulation.ts';
import { judgeRate, type Risk } from '../verdict.ts';
import { Arm, from, portion } from './arm.ts';
import type { Seconds, Traffic } from './traffic.ts';

/** Second of the verdict, from 1. */
export interface Watched {
  readonly verdict: 'Fail' | 'Pass' | 'NeedMore';
  readonly second: number;
  readonly requests: number;
}

export interface RateRollout {
  readonly traffic: Traffic;
  readonly rate: number;
  readonly perSecond: number;
  readonly seconds: number;
  readonly limit: number;
  readonly risk: Risk;
  readonly seed: number;
  /** The seconds of the traffic, of the pods and of the looks are not the same, and there are two looks a second. */
  readonly unaligned?: boolean;
}

/** A clock that strikes every `period` ticks, from a moment of its own. */
const striking = (uniform: () => number, period: number): ((tick: number) => boolean) => {
  const from = Math.floor(uniform() * period);
  return (tick) => tick % period === from;
};

const TICKS = 10;

/** One candidate against a limit, as it is looked at in the operator: at moments that nobody agreed on. */
function watchUnaligned({ traffic, rate, perSecond, seconds, limit, risk, seed }: RateRollout): Watched {
  const uniform = mulberry32(seed);
  const next = traffic(uniform, rate);
  const arm = new Arm(limit);
  const [turns, ends] = [striking(uniform, TICKS), striking(uniform, TICKS)];
  const looks = striking(uniform, TICKS / 2);
  let now = next();
  for (let tick = 0; tick < seconds * TICKS; tick += 1) {
    if (turns(tick)) now = next();
    if (ends(tick)) arm.endSecond();
    arm.part(uniform, portion(uniform, perSecond, 1 / TICKS), now);
    // Below its limit nothing fails, and what is not asked for a Pass needs no bounds: a look costs more than the traffic.
    if (!looks(tick) || (arm.share <= limit && risk.pass < 1e-9)) continue;
    const { verdict } = judgeRate(arm.counts, limit, risk);
    if (verdict !== 'NeedMore') return { verdict, second: (tick + 1) / TICKS, requests: arm.total };
  }
  return { verdict: 'NeedMore', second: seconds, requests: arm.total };
}

/** One candidate against a limit, looked at each second until a verdict. */
export function watchRate(rollout: RateRollout): Watched {
  if (rollout.unaligned === true) return watchUnaligned(rollout);
  const { traffic, rate, perSecond, seconds, limit, risk, seed } = rollout;
  const uniform = mulberry32(seed);
  const next = traffic(uniform, rate);
  const arm = new Arm(limit);
  for (let second = 1; second <= seconds; second += 1) {
    arm.second(uniform, perSecond, next());
    const { verdict } = judgeRate(arm.counts, limit, risk);
    if (verdict !== 'NeedMore') return { verdict, second, requests: arm.total };
  }
  return { verdict: 'NeedMore', second: seconds, requests: arm.total };
}

export interface PairRollout {
  readonly traffic: Traffic;
  readonly candidate: number;
  readonly stable: number;
  readonly margin: number;
  /** Share of the candidate by second, from 0. */
  readonly weight: (second: number) => number;
  readonly perSecond: number;
  readonly seconds: number;
  readonly alpha: number;
  readonly seed: number;
  /** As in RateRollout. */
  readonly unaligned?: boolean;
  /** Seconds for which the stable version had all the traffic before. Default 0: it is as new as the candidate. */
  readonly history?: number;
}

/** How many weights there are in so many seconds: each has a comparison of its own, and the same part of the risk. */
const weightsOf = ({ weight, seconds }: PairRollout): number =>
  new Set(Array.from({ length: seconds }, (_, second) => weight(second))).size;

/** A weight has evidence of its own, but that a stable version without requests is known by what it had before. */
function nextStep(candidate: Arm, stable: Arm, weight: number): void {
  candidate.anew();
  if (weight < 1) stable.anew();
}

/** As the guards compare. */
function isWorse(candidate: Arm, stable: Arm, margin: number, alpha: number): boolean {
  const tested = comparedAt(stable, margin, stable.history);
  return exceeds(candidate.testedAt(tested), stable.testedAt(tested), margin, alpha);
}

/** An arm of a pair: its traffic and its pods have seconds of their own. */
class UnalignedArm extends Arm {
  readonly #next: Seconds;
  readonly #uniform: () => number;
  readonly #turns: (tick: number) => boolean;
  readonly #ends: (tick: number) => boolean;
  #now: number;

  constructor(uniform: () => number, next: Seconds) {
    super();
    this.#uniform = uniform;
    this.#next = next;
    this.#now = next();
    [this.#turns, this.#ends] = [striking(uniform, TICKS), striking(uniform, TICKS)];
  }

  tick(tick: number, requests: number): void {
    if (this.#turns(tick)) this.#now = this.#next();
    if (this.#ends(tick)) this.endSecond();
    this.part(this.#uniform, requests, this.#now);
  }
}

/** Two versions as they are compared in the operator: at moments that nobody agreed on. */
function watchPairUnaligned(rollout: PairRollout): Watched {
  const { traffic, margin, weight, perSecond, seconds, seed } = rollout;
  const alpha = rollout.alpha / weightsOf(rollout);
  const uniform = mulberry32(seed);
  const candidate = new UnalignedArm(uniform, traffic(uniform, rollout.candidate));
  const stable = new UnalignedArm(uniform, traffic(uniform, rollout.stable));
  const looks = striking(uniform, TICKS / 2);
  const before = (rollout.history ?? 0) * TICKS;
  for (let tick = -before; tick < 0; tick += 1) stable.tick(tick + before, portion(uniform, perSecond, 1 / TICKS));
  if (before > 0) stable.anew();
  const weightAt = (tick: number): number => weight(Math.floor(tick / TICKS));
  for (let tick = 0; tick < seconds * TICKS; tick += 1) {
    if (tick > 0 && weightAt(tick) !== weightAt(tick - 1)) nextStep(candidate, stable, weightAt(tick));
    const all = portion(uniform, perSecond, 1 / TICKS);
    const requests = portion(uniform, all, weightAt(tick));
    candidate.tick(tick, requests);
    stable.tick(tick, all - requests);
    if (!looks(tick) || candidate.share - stable.share <= margin) continue;
    if (isWorse(candidate, stable, margin, alpha))
      return { verdict: 'Fail', second: (tick + 1) / TICKS, requests: candidate.total };
  }
  return { verdict: 'NeedMore', second: seconds, requests: candidate.total };
}

/** Two versions against each other, looked at each second: the second in which the candidate is found worse. */
export function watchPair(rollout: PairRollout): Watched {
  if (rollout.unaligned === true) return watchPairUnaligned(rollout);
  const { traffic, margin, weight, perSecond, seconds, seed } = rollout;
  const alpha = rollout.alpha / weightsOf(rollout);
  const uniform = mulberry32(seed);
  const [nextCandidate, nextStable] = [traffic(uniform, rollout.candidate), traffic(uniform, rollout.stable)];
  const [candidate, stable] = [new Arm(), new Arm()];
  for (let second = 0; second < (rollout.history ?? 0); second += 1) stable.second(uniform, perSecond, nextStable());
  stable.anew();
  for (let second = 1; second <= seconds; second += 1) {
    if (second > 1 && weight(second - 1) !== weight(second - 2)) nextStep(candidate, stable, weight(second - 1));
    const requests = portion(uniform, perSecond, weight(second - 1));
    candidate.second(uniform, requests, nextCandidate());
    stable.second(uniform, perSecond - requests, nextStable());
    if (candidate.share - stable.share <= margin) continue;
    if (isWorse(candidate, stable, margin, alpha)) return { verdict: 'Fail', second, requests: candidate.total };
  }
  return { verdict: 'NeedMore', second: seconds, requests: candidate.total };
}

export interface FaultRollout {
  /** Share of all requests that fail for a cause of neither version. */
  readonly upstream: number;
  /** Share of the candidate's that fail by its own fault. */
  readonly own: number;
  /** Second after which both begin. */
  readonly begins: number;
  readonly weight: number;
  readonly perSecond: number;
  readonly seconds: number;
  readonly limit: number;
  readonly risk: Risk;
  readonly seed: number;
}

/** What a guard on errors says of a fault: when it would fail by the limit alone, and when it blames the candidate. */
export interface Blame {
  readonly failed?: number;
  readonly blamed?: number;
}

/** Failures that every version has. */
const USUAL = 0.001;

export function watchFault({ upstream, own, begins, weight, perSecond, ...rest }: FaultRollout): Blame {
  const uniform = mulberry32(rest.seed);
  const rates = [from(begins, USUAL, 1 - (1 - upstream) * (1 - own)), from(begins, USUAL, Math.max(USUAL, upstream))];
  const [candidate, stable] = [new Arm(rest.limit), new Arm()];
  let failed: number | undefined;
  for (let second = 1; second <= rest.seconds; second += 1) {
    const requests = portion(uniform, perSecond, weight);
    candidate.second(uniform, requests, rates[0]?.() ?? 0);
    stable.second(uniform, perSecond - requests, rates[1]?.() ?? 0);
    if (judgeRate(candidate.counts, rest.limit, rest.risk).verdict !== 'Fail') continue;
    failed ??= second;
    // As the guards do: stable had all of its requests to show in the same seconds what both suffer.
    if (!sharedFault(candidate.counts, stable, rest.limit, rest.risk)) return { failed, blamed: second };
  }
  return failed === undefined ? {} : { failed };
}

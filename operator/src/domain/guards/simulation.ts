import type { Guard, RolloutStep } from '@slipway/crds';
import { LATENCY_BOUNDS_MS } from '@slipway/crds/contract';
import { mulberry32 } from '../analysis/simulation.ts';
import { type Batches, noBatches, noRequests, plus, rateKey, since, type Tally } from '../analysis/tally.ts';
import type { GuardStatus, PredictionLook, RevisionEvidence, ShadowTally } from '../rollout/world.ts';
import { judgedIn, type Scene, seen, shadowed } from './builders.ts';

/** What a version of a simulated rollout is like: shares of its requests. */
export interface Model {
  readonly errors: number;
  /** Over 60 ms. */
  readonly slow: number;
  readonly invalid: number;
  /** Of the answers compared with those of the stable version. */
  readonly differing: number;
  /** Chance of each bin of its prediction. */
  readonly predictions: readonly number[];
}

export interface Rollout {
  readonly guards: readonly Guard[];
  readonly steps: readonly RolloutStep[];
  readonly candidate: Model;
  readonly stable: Model;
  /** Requests of both versions a second. */
  readonly perSecond: number;
  /** Seconds of each step; a look each. */
  readonly stepSeconds: number;
  /** Part of the seconds in which every share is ten times what it is in the others, with the same mean. */
  readonly burst?: number;
  /** What the candidate turns into after so many seconds of each step. */
  readonly turns?: { readonly after: number; readonly into: Model };
  readonly fail: string;
  readonly seed: number;
}

const SLOW_BIN = LATENCY_BOUNDS_MS.indexOf(100);
const FAST_BIN = LATENCY_BOUNDS_MS.indexOf(40);

const batch = (hits: number, total: number): Batches =>
  total === 0 ? noBatches : { count: 1, squaredOverTotal: (hits * hits) / total };

/** How many of so many questions hit. */
function drawn(share: number, of: number, uniform: () => number): number {
  let hits = 0;
  for (let i = 0; i < of; i += 1) if (uniform() < share) hits += 1;
  return hits;
}

/** What the pods of a version count in a second of `requests`, when all its shares are `factor` times the usual. */
function second(model: Model, requests: number, factor: number, uniform: () => number): Tally {
  const [serverError = 0, slow = 0, invalid = 0] = [model.errors, model.slow, model.invalid].map((share) =>
    drawn(share * factor, requests, uniform),
  );
  const latency = new Array<number>(LATENCY_BOUNDS_MS.length + 1).fill(0);
  latency[FAST_BIN] = requests - slow;
  latency[SLOW_BIN] = slow;
  return {
    ...noRequests,
    ok: requests - serverError,
    serverError,
    invalid,
    latency,
    batchSeconds: requests === 0 ? 0 : 1,
    failedSquaredOverServed: batch(serverError, requests).squaredOverTotal,
    batches: { [rateKey.slower(60)]: batch(slow, requests), [rateKey.invalid]: batch(invalid, requests) },
  };
}

/** Recent evidence is that of the last one or two blocks of a step. */
const BLOCK_SECONDS = 5;

/** What the operator reads of one version while the rollout goes on. */
class Side {
  model: Model;
  readonly predictions: number[];
  rollout: Tally = noRequests;
  step: Tally = noRequests;
  /** What the step had counted when its last two blocks of recent evidence began. */
  #bases: Tally[] = [];

  constructor(model: Model) {
    this.model = model;
    this.predictions = model.predictions.map(() => 0);
  }

  serve(requests: number, factor: number, uniform: () => number): void {
    const counted = second(this.model, requests, factor, uniform);
    this.step = plus(this.step, counted);
    this.rollout = plus(this.rollout, counted);
    for (let i = 0; i < requests; i += 1) this.#predict(uniform());
  }

  #predict(at: number): void {
    let left = at;
    const bin = this.model.predictions.findIndex((chance) => {
      left -= chance;
      return left < 0;
    });
    const last = this.predictions.length - 1;
    const into = bin === -1 ? last : bin;
    this.predictions[into] = (this.predictions[into] ?? 0) + 1;
  }

  begin(): void {
    this.step = noRequests;
    this.#bases = [noRequests];
  }

  evidence(stepSeconds: number, more: Partial<RevisionEvidence>): RevisionEvidence {
    if (stepSeconds % BLOCK_SECONDS === 0) this.#bases.push(this.step);
    const window = this.#bases.length - 1;
    const recent = { window, tally: since(this.step, this.#bases.at(-2) ?? noRequests), seconds: stepSeconds };
    const late = window === 0 ? {} : { recent };
    return seen(this.step, { sinceRollout: this.rollout, lifetime: this.rollout, stepSeconds, ...late, ...more });
  }
}

/** Looks at predictions come when the candidate has 100, 200, 400, … rows. */
const lookNumber = (rows: number): number => (rows < 100 ? 0 : Math.floor(Math.log2(rows / 100)) + 1);
const sum = (counts: readonly number[]): number => counts.reduce((a, b) => a + b, 0);

/** A rollout on its way: time passes second by second. */
class Passing {
  readonly #rollout: Rollout;
  readonly #uniform: () => number;
  readonly #candidate: Side;
  readonly #stable: Side;
  #shadow: ShadowTally = shadowed(0, 0);
  #look: PredictionLook | undefined;

  constructor(rollout: Rollout) {
    this.#rollout = rollout;
    this.#uniform = mulberry32(rollout.seed);
    this.#candidate = new Side(rollout.candidate);
    this.#stable = new Side(rollout.stable);
  }

  enter(): void {
    this.#candidate.begin();
    this.#stable.begin();
    this.#candidate.model = this.#rollout.candidate;
    this.#shadow = shadowed(0, 0);
  }

  /** A second of a step, counted from 1. */
  pass({ shadow, weight = 0 }: RolloutStep, at: number): void {
    const { perSecond, burst = 0, candidate, turns } = this.#rollout;
    if (turns !== undefined && at > turns.after) this.#candidate.model = turns.into;
    const quiet = 1 / (1 - burst + 10 * burst);
    const factor = burst > 0 && this.#uniform() < burst ? 10 * quiet : quiet;
    const asked = Math.round((perSecond * (shadow ?? weight)) / 100);
    this.#candidate.serve(asked, factor, this.#uniform);
    this.#stable.serve(shadow === undefined ? perSecond - asked : perSecond, factor, this.#uniform);
    if (shadow !== undefined) this.#compare(asked, drawn(candidate.differing * factor, asked, this.#uniform));
    this.#freeze();
  }

  #compare(asked: number, differing: number): void {
    const { compared, disagreed, batches } = this.#shadow;
    const { count, squaredOverTotal } = batch(differing, asked);
    const both = { count: batches.count + count, squaredOverTotal: batches.squaredOverTotal + squaredOverTotal };
    this.#shadow = shadowed(compared + asked, disagreed + differing, { batches: both });
  }

  #freeze(): void {
    const [candidate, stable] = [this.#candidate.predictions, this.#stable.predictions];
    const look = lookNumber(sum(candidate));
    if (look <= (this.#look?.look ?? 0)) return;
    this.#look = { look, predictions: [{ name: 'p', candidate: [...candidate], stable: [...stable] }] };
  }

  /** What the operator sees at a step that began so many seconds ago. */
  scene({ shadow, weight = 0 }: RolloutStep, seconds: number): Scene {
    const { guards, steps, fail } = this.#rollout;
    const look = this.#look === undefined ? {} : { predictionLook: this.#look };
    return {
      guards,
      steps,
      confidence: { fail, pass: '0.95' },
      phase: shadow === undefined ? 'Shifting' : 'Shadowing',
      weight,
      candidate: this.#candidate.evidence(seconds, look),
      stable: this.#stable.evidence(seconds, { shadow: this.#shadow }),
    };
  }
}

export interface Ended {
  /** Looks since the rollout began. */
  readonly looks: number;
  readonly failed: GuardStatus;
}

/** Looks at every second of a rollout, and ends at the first Fail. undefined: none failed. Each step takes its time, whatever is said. */
export function firstFail(rollout: Rollout): Ended | undefined {
  const passing = new Passing(rollout);
  let looks = 0;
  for (const step of rollout.steps) {
    passing.enter();
    for (let at = 1; at <= rollout.stepSeconds; at += 1) {
      passing.pass(step, at);
      looks += 1;
      const failed = judgedIn(passing.scene(step, at)).find(({ verdict }) => verdict === 'Fail');
      if (failed !== undefined) return { looks, failed };
    }
  }
  return undefined;
}

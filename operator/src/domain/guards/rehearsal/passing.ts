import type { InferenceServiceSpec, RolloutStep } from '@slipway/crds';
import { mulberry32 } from '../../analysis/simulation.ts';
import { noBatches, type Tally } from '../../analysis/tally.ts';
import type { PredictionLook, RevisionEvidence, ShadowTally } from '../../rollout/world.ts';
import { batchOf, drawn, type Model, thresholdsOf } from './model.ts';
import { Side } from './side.ts';
import type { Course } from './view.ts';

export interface Traffic {
  readonly rollout: InferenceServiceSpec['rollout'];
  readonly candidate: Model;
  readonly stable: Model;
  /** Requests of both versions a second. */
  readonly perSecond: number;
  /** Part of the seconds in which every fault is ten times as frequent as in the others, with the same mean. */
  readonly burst?: number;
  /** What the candidate turns into after so many seconds of each step. */
  readonly turns?: { readonly after: number; readonly into: Model };
  readonly seed: number;
}

/** Looks at predictions come when the candidate has 100, 200, 400, … rows. */
const lookNumber = (rows: number): number => (rows < 100 ? 0 : Math.floor(Math.log2(rows / 100)) + 1);
const sum = (counts: readonly number[]): number => counts.reduce((a, b) => a + b, 0);

const NOTHING: ShadowTally = {
  compared: 0,
  disagreed: 0,
  skipped: 0,
  failed: 0,
  batches: noBatches,
  segments: {},
  examples: [],
};

/** A rollout on its way: time passes second by second, and this is what its pods count. */
export class Passing implements Course {
  readonly #traffic: Traffic;
  readonly #uniform: () => number;
  readonly #candidate: Side;
  readonly #stable: Side;
  #shadow: ShadowTally = NOTHING;
  #look: PredictionLook | undefined;

  constructor(traffic: Traffic) {
    this.#traffic = traffic;
    this.#uniform = mulberry32(traffic.seed);
    const thresholds = thresholdsOf(traffic.rollout.guards ?? []);
    this.#candidate = new Side(traffic.candidate, thresholds, this.#uniform);
    this.#stable = new Side(traffic.stable, thresholds, this.#uniform);
  }

  enter(): void {
    this.#candidate.begin();
    this.#stable.begin();
    this.#candidate.model = this.#traffic.candidate;
    this.#shadow = NOTHING;
  }

  /** A second of a step, counted from 1. Gives what the candidate counted. */
  pass({ shadow, weight = 0 }: RolloutStep, at: number): Tally {
    const { perSecond, candidate, turns } = this.#traffic;
    if (turns !== undefined && at > turns.after) this.#candidate.model = turns.into;
    const factor = this.#factor();
    const asked = Math.round((perSecond * (shadow ?? weight)) / 100);
    const counted = this.#candidate.serve(asked, factor, at);
    this.#stable.serve(shadow === undefined ? perSecond - asked : perSecond, factor, at);
    if (shadow !== undefined) this.#compare(asked, drawn(candidate.differing * factor, asked, this.#uniform));
    this.#freeze();
    return counted;
  }

  #factor(): number {
    const { burst = 0 } = this.#traffic;
    const quiet = 1 / (1 - burst + 10 * burst);
    return burst > 0 && this.#uniform() < burst ? 10 * quiet : quiet;
  }

  #compare(asked: number, differing: number): void {
    const { compared, disagreed, batches } = this.#shadow;
    const { count, squaredOverTotal } = batchOf(differing, asked);
    this.#shadow = {
      ...NOTHING,
      compared: compared + asked,
      disagreed: disagreed + differing,
      batches: { count: batches.count + count, squaredOverTotal: batches.squaredOverTotal + squaredOverTotal },
    };
  }

  #freeze(): void {
    const [candidate, stable] = [this.#candidate.predictions, this.#stable.predictions];
    const look = lookNumber(sum(candidate));
    if (look <= (this.#look?.look ?? 0)) return;
    this.#look = { look, predictions: [{ name: 'prediction', candidate: [...candidate], stable: [...stable] }] };
  }

  /** What the operator sees at a step that began so many seconds ago. */
  evidence(seconds: number): { readonly candidate: RevisionEvidence; readonly stable: RevisionEvidence } {
    const look = this.#look === undefined ? {} : { predictionLook: this.#look };
    return {
      candidate: this.#candidate.evidence(seconds, look),
      stable: this.#stable.evidence(seconds, { shadow: this.#shadow }),
    };
  }
}

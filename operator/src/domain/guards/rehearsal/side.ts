import { noRequests, plus, since, type Tally } from '../../analysis/tally.ts';
import type { RevisionEvidence } from '../../rollout/world.ts';
import { type Model, secondOf } from './model.ts';

/** Recent evidence is that of the last one or two blocks of a step. */
const BLOCK_SECONDS = 5;

/** What the operator reads of one version while a rehearsed rollout goes on. */
export class Counters {
  rollout: Tally = noRequests;
  step: Tally = noRequests;
  /** What the step had counted when its last two blocks of recent evidence began. */
  #bases: Tally[] = [];
  #window = 0;

  begin(): void {
    this.step = noRequests;
    this.#bases = [noRequests];
    this.#window = 0;
  }

  /** What a second of the step counted, counted from 1. */
  take(counted: Tally, at: number): void {
    this.step = plus(this.step, counted);
    this.rollout = plus(this.rollout, counted);
    if (at % BLOCK_SECONDS === 0) {
      this.#bases = [...this.#bases, this.step].slice(-2);
      this.#window += 1;
    }
  }

  evidence(stepSeconds: number, more: Partial<RevisionEvidence>): RevisionEvidence {
    const recent = {
      window: this.#window,
      tally: since(this.step, this.#bases[0] ?? noRequests),
      seconds: stepSeconds,
    };
    return {
      answering: 1,
      digests: [],
      sinceStep: this.step,
      sinceRollout: this.rollout,
      lifetime: this.rollout,
      stepSeconds,
      ...(this.#window === 0 ? {} : { recent }),
      ...more,
    };
  }
}

/** A version that is made up: what it counts is drawn. */
export class Side extends Counters {
  model: Model;
  readonly predictions: number[];
  readonly #thresholds: readonly number[];
  readonly #uniform: () => number;

  constructor(model: Model, thresholds: readonly number[], uniform: () => number) {
    super();
    this.model = model;
    this.#thresholds = thresholds;
    this.#uniform = uniform;
    this.predictions = model.predictions.map(() => 0);
  }

  /** A second of the step, counted from 1. Gives what it counted. */
  serve(requests: number, factor: number, at: number): Tally {
    const counted = secondOf(this.model, requests, factor, this.#thresholds, this.#uniform);
    for (let i = 0; i < requests; i += 1) this.#predict(this.#uniform());
    this.take(counted, at);
    return counted;
  }

  #predict(at: number): void {
    let left = at;
    const bin = this.model.predictions.findIndex((chance) => {
      left -= chance;
      return left < 0;
    });
    const into = bin === -1 ? this.predictions.length - 1 : bin;
    this.predictions[into] = (this.predictions[into] ?? 0) + 1;
  }
}

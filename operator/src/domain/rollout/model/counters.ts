import { noRequests, plus, type Tally } from '../../analysis/tally.ts';
import { requests, revisionFor, versionOf } from '../builders.ts';
import type { RevisionEvidence } from '../world.ts';

export type Quality = 'Good' | 'Bad';
const FAILING: Readonly<Record<Quality, number>> = { Good: 0, Bad: 0.4 };

interface Windows {
  readonly rollout: Tally;
  readonly step: Tally;
  readonly lifetime: Tally;
}
const NOTHING: Windows = { rollout: noRequests, step: noRequests, lifetime: noRequests };

/** What pods count: requests since the rollout began, since the weights in force, and ever. */
export class Counters {
  readonly #windows = new Map<string, Windows>();
  #rollout = '';
  #step = '';
  #stepSeconds = 0;

  /** A new rollout, or other weights in force, begin a new window. */
  look(rollout: string, step: string): void {
    if (rollout !== this.#rollout)
      this.#windows.forEach((w, r) => void this.#windows.set(r, { ...w, rollout: noRequests }));
    if (rollout !== this.#rollout || step !== this.#step) {
      this.#windows.forEach((w, r) => void this.#windows.set(r, { ...w, step: noRequests }));
      this.#stepSeconds = 0;
    }
    this.#rollout = rollout;
    this.#step = step;
  }

  count(revision: string, asked: number, quality: Quality): void {
    const failed = Math.round(asked * FAILING[quality]);
    const more = requests(asked - failed, failed);
    const { rollout, step, lifetime } = this.#windows.get(revision) ?? NOTHING;
    this.#windows.set(revision, {
      rollout: plus(rollout, more),
      step: plus(step, more),
      lifetime: plus(lifetime, more),
    });
  }

  pass(seconds: number): void {
    this.#stepSeconds += seconds;
  }

  evidence(minor: number, answering: number): RevisionEvidence {
    const { rollout, step, lifetime } = this.#windows.get(revisionFor(minor)) ?? NOTHING;
    const digests = answering === 0 ? [] : [versionOf(minor).digest];
    return { answering, digests, sinceRollout: rollout, sinceStep: step, lifetime, stepSeconds: this.#stepSeconds };
  }
}

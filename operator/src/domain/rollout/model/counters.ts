import { noRequests, plus, rateKey, type Tally } from '../../analysis/tally.ts';
import { requests, revisionFor, versionOf } from '../builders.ts';
import type { RevisionEvidence } from '../world.ts';

export type Quality = 'Good' | 'Doubtful' | 'Bad';
const FAILING: Readonly<Record<Quality, number>> = { Good: 0, Doubtful: 0.1, Bad: 0.4 };

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
    this.#add(revision, requests(asked - failed, failed));
  }

  /** Copies for a second opinion. */
  copied(revision: string, asked: number, quality: Quality): void {
    const serverError = Math.round(asked * FAILING[quality]);
    const copies = { ok: asked - serverError, clientError: 0, serverError, invalid: 0 };
    const batches = { [rateKey.copyErrors]: { count: asked, squaredOverTotal: serverError } };
    this.#add(revision, { ...noRequests, copies, batches });
  }

  #add(revision: string, more: Tally): void {
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
    const windows = { sinceRollout: rollout, sinceStep: step, lifetime, stepSeconds: this.#stepSeconds };
    return { answering, digests, ...windows, takesCopies: true };
  }
}

import { noRequests, since, type Tally } from '../domain/analysis/tally.ts';
import type { RevisionEvidence } from '../domain/rollout/world.ts';

/** What each revision had counted at a time. */
export type Bases = ReadonlyMap<string, Tally>;

/** Longer blocks are found later: with 15 s a fault of 30 % in mid-step took 13 looks in the simulations, with 5 s five. */
const BLOCK_MS = 5_000;

interface Block {
  readonly index: number;
  readonly at: number;
  readonly bases: Bases;
}

/**
 * The last one to two blocks of a step, so that a fault that begins late is not drowned by what was fine before. Blocks
 * are counted from when the step began and not from when we first looked: an operator that starts again goes on with
 * the next block, and the share of the risk that was spent on those before stays spent.
 */
export class RecentWindows {
  #current: Block | undefined;
  #previous: Block | undefined;

  pass(stepStartedAt: Date, now: Date, bases: () => Bases): void {
    const at = now.getTime();
    const index = Math.max(0, Math.floor((at - stepStartedAt.getTime()) / BLOCK_MS));
    if (this.#current !== undefined && index <= this.#current.index) return;
    this.#previous = this.#current;
    this.#current = { index, at, bases: bases() };
  }

  of(revision: string, sinceRollout: Tally, now: Date): RevisionEvidence['recent'] {
    if (this.#current === undefined || this.#previous === undefined) return undefined;
    const { bases, at } = this.#previous;
    const tally = since(sinceRollout, bases.get(revision) ?? noRequests);
    return { window: this.#current.index, tally, seconds: (now.getTime() - at) / 1000 };
  }
}

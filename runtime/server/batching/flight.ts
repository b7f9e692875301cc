import { EngineError, type EngineErrorKind } from '../engine/engine.ts';
import type { Done, Lease, Order, Outcome, Submission } from './scheduler.ts';
import { levelOf } from './waitingLine.ts';

/** Failures of one caller's patience or place in the queue: they say nothing about the others. */
const OF_ONE_CALLER: readonly EngineErrorKind[] = ['Overloaded', 'TooLate', 'Cancelled'];

interface Caller {
  readonly lease: Lease;
  readonly order: Order;
  done: Done | undefined;
}

/**
 * Equal requests that share one run. The first leads: its request is the one in the queue. The others keep their leases,
 * so that the next of them can lead where the leader fails for a reason of its own. A leader who goes leaves its
 * request to the others.
 */
export class Flight {
  readonly #onEnd: (outcome: Outcome | undefined) => void;
  #leader: Caller;
  #followers: Caller[] = [];
  #submission: Submission;

  /** `onEnd` is told once, before the callers are. */
  constructor(lease: Lease, order: Order, done: Done, onEnd: (outcome: Outcome | undefined) => void) {
    this.#onEnd = onEnd;
    this.#leader = { lease, order, done };
    this.#submission = this.#lead(this.#leader);
  }

  /** The leader's own submission. */
  get submission(): Submission {
    const leader = this.#leader;
    return { cancel: () => this.#cancel(leader) };
  }

  /** Whether this order loses nothing by waiting for the leader's: it is neither more urgent nor due earlier. */
  admits({ priority, deadline = Infinity }: Order): boolean {
    const { order } = this.#leader;
    return levelOf(priority) >= levelOf(order.priority) && deadline >= (order.deadline ?? Infinity);
  }

  join(lease: Lease, order: Order, done: Done): Submission {
    const caller = { lease, order, done };
    this.#followers.push(caller);
    return { cancel: () => this.#cancel(caller) };
  }

  #lead({ lease, order }: Caller): Submission {
    return lease.submit(order, (error, outcome) => this.#landed(error, outcome));
  }

  #landed(error: EngineError | undefined, outcome: Outcome | undefined): void {
    const [next, ...others] = this.#followers;
    if (error !== undefined && next !== undefined && OF_ONE_CALLER.includes(error.kind)) {
      const leader = this.#leader;
      this.#leader = next;
      this.#followers = others;
      this.#submission = this.#lead(next);
      tell(leader, error, undefined);
      return;
    }
    const followers = this.#followers;
    this.#followers = [];
    this.#onEnd(outcome);
    for (const { lease } of followers) lease.release();
    tell(this.#leader, error, outcome);
    for (const follower of followers) tell(follower, error, outcome);
  }

  #cancel(caller: Caller): void {
    if (caller.done === undefined) return;
    if (caller !== this.#leader) {
      this.#followers = this.#followers.filter((other) => other !== caller);
      caller.lease.release();
    }
    tell(caller, new EngineError('Cancelled', 'The caller has gone.'), undefined);
    if (this.#leader.done === undefined && this.#followers.length === 0) this.#submission.cancel();
  }
}

function tell(caller: Caller, error: EngineError | undefined, outcome: Outcome | undefined): void {
  const { done } = caller;
  caller.done = undefined;
  done?.(error, outcome);
}

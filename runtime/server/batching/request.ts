import type { EngineError } from '../engine/engine.ts';
import type { TensorValue } from '../tensor.ts';
import type { Selection } from './outputs.ts';
import type { RowRing } from './rowRing.ts';
import type { Run } from './run.ts';
import type { Done, Lease, Order, Outcome, Submission } from './scheduler.ts';

export const LEASED = 0;
export const WAITING = 1;
export const RUNNING = 2;
export const ENDED = 3;
type Stage = typeof LEASED | typeof WAITING | typeof RUNNING | typeof ENDED;

/** What a request asks of its scheduler. */
export interface Owner {
  submit(request: Request, order: Order, done: Done): void;
  release(request: Request): void;
  cancel(request: Request): void;
}

/**
 * One request from lease to answer: lease, submission, and its place in the line, in one object, because each object
 * more is felt at forty thousand requests a second. Owned by the scheduler, which alone writes its fields.
 */
export class Request implements Lease, Submission {
  readonly inputs: readonly TensorValue[];
  readonly rows: number;
  /** Counted against the bound of what may wait; 0 once they no longer wait. */
  bytes: number;
  /** Where the inputs lie, when they lie in the ring. */
  readonly ring: RowRing | undefined;
  readonly start: number;
  /** Requests batch only with those of the same group: the shapes beside the batch dimension. */
  readonly group: string;
  readonly #owner: Owner;
  /** Must not share a run. */
  alone: boolean;

  stage: Stage = LEASED;
  done: Done | undefined = undefined;
  selection: Selection | undefined = undefined;
  level = 0;
  deadline = Infinity;
  arrivedAt = 0;
  /** Let through although it looked too late, to learn whether runs still take so long. */
  probe = false;
  /** How many times what ran the model was lost under it. */
  losses = 0;
  run: Run | undefined = undefined;
  /** Whether it stands in the line, and where. */
  queued = false;
  turn = 0;
  before: Request | undefined = undefined;
  behind: Request | undefined = undefined;

  constructor(
    owner: Owner,
    inputs: readonly TensorValue[],
    rows: number,
    bytes: number,
    alone: boolean,
    group: string,
    ring: RowRing | undefined,
    start: number,
  ) {
    this.#owner = owner;
    this.inputs = inputs;
    this.rows = rows;
    this.bytes = bytes;
    this.alone = alone;
    this.group = group;
    this.ring = ring;
    this.start = start;
  }

  submit(order: Order, done: Done): Submission {
    this.#owner.submit(this, order, done);
    return this;
  }

  /** Tells the caller how it ended. Callers keep submissions, which must not keep whole batches. */
  end(error: EngineError | undefined, outcome: Outcome | undefined): void {
    const { done } = this;
    this.stage = ENDED;
    this.done = undefined;
    this.run = undefined;
    done?.(error, outcome);
  }

  release(): void {
    this.#owner.release(this);
  }

  cancel(): void {
    this.#owner.cancel(this);
  }
}

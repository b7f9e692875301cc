import { openScheduler, type SchedulerOptions } from '../server/batching/openScheduler.ts';
import type { Lease, Order, Outcome, Scheduler, Submission } from '../server/batching/scheduler.ts';
import type { EngineError } from '../server/engine/engine.ts';
import type { TensorValue } from '../server/tensor.ts';
import { testSettings } from './batchSettings.ts';
import { SteppedEngine, type SteppedRun } from './steppedEngine.ts';
import { quiet, VirtualTime } from './virtualTime.ts';

/** One request of a test and how it ended. */
export interface Asked {
  readonly lease: Lease;
  readonly submission: Submission;
  error: EngineError | undefined;
  outcome: Outcome | undefined;
}

/** A scheduler over an engine whose runs the test ends, in a time that the test moves. */
export class BatchWorld {
  readonly time = new VirtualTime();
  readonly engine: SteppedEngine;
  readonly scheduler: Scheduler;

  constructor(
    batching: Parameters<typeof testSettings>[0] = {},
    engine = new SteppedEngine(),
    options: Partial<SchedulerOptions> = {},
  ) {
    this.engine = engine;
    this.scheduler = openScheduler({
      engine,
      settings: testSettings(batching),
      surroundings: this.time,
      proofs: 0,
      ...options,
    });
  }

  /** Leases, writes `value` into every element (text as text) and submits. */
  ask(value: number, shapes: readonly (readonly number[])[] = [[1, 2]], order: Partial<Order> = {}): Asked {
    return this.submit(this.scheduler.lease(shapes, order), value, order);
  }

  submit(lease: Lease, value: number, order: Partial<Order> = {}): Asked {
    for (const { elements } of lease.inputs) elements.fill(...([value] as unknown as [never]));
    const outputs = this.engine.signature.outputs.map(({ name }) => name);
    let asked: Asked | undefined;
    const early: [EngineError | undefined, Outcome | undefined][] = [];
    const submission = lease.submit({ outputs, ...order }, (error, outcome) => {
      if (asked === undefined) {
        early.push([error, outcome]);
        return;
      }
      if (asked.error || asked.outcome) throw new Error('a request was answered twice');
      asked.error = error;
      asked.outcome = outcome;
    });
    if (early.length > 0) throw new Error('a request was answered before submit returned');
    asked = { lease, submission, error: undefined, outcome: undefined };
    return asked;
  }

  /** Ends the turn, then every run that is under way and that follows from it. */
  async run(): Promise<void> {
    await this.time.turn();
    while (this.engine.runs.length > 0) await this.finish();
  }

  async finish(): Promise<void> {
    this.first.finish();
    await quiet();
    await this.time.turn();
  }

  async fail(error: Error): Promise<void> {
    this.first.fail(error);
    await quiet();
    await this.time.turn();
  }

  /** The oldest run under way. */
  get first(): SteppedRun {
    const [run] = this.engine.runs;
    if (run === undefined) throw new Error('nothing runs');
    return run;
  }
}

/** The first element of each output: what tells one answer from another. */
export const answersOf = ({ outcome }: Asked): unknown[] | undefined =>
  outcome?.outputs.map(({ elements }) => elements[0]);

/** The first element of each row of a tensor. */
export const rowsOf = ({ shape, elements }: TensorValue): unknown[] => {
  const width = elements.length / (shape[0] as number);
  return Array.from({ length: shape[0] as number }, (_, row) => elements[row * width]);
};

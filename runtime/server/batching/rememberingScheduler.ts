import type { ModelSettings } from '@slipway/crds/serving';
import { EngineError } from '../engine/engine.ts';
import type { TensorValue } from '../tensor.ts';
import { AnswerCache } from './answerCache.ts';
import { Flight } from './flight.ts';
import { requestKey } from './requestKey.ts';
import type { Done, Lease, Order, Outcome, Scheduler, SchedulerCounts, Submission, Urgency } from './scheduler.ts';
import type { Surroundings } from './surroundings.ts';

/**
 * A scheduler that answers equal requests from memory, or by the run of an equal request that is under way. Such requests
 * run nothing, so the evidence of features and predictions doesn't see them.
 */
export class RememberingScheduler implements Scheduler {
  readonly #scheduler: Scheduler;
  readonly #surroundings: Surroundings;
  readonly #cache: AnswerCache | undefined;
  readonly #singleFlight: boolean;
  readonly #flights = new Map<string, Flight>();
  #hits = 0;
  #misses = 0;
  #shared = 0;

  constructor(
    scheduler: Scheduler,
    { cache, singleFlight }: Pick<ModelSettings, 'cache' | 'singleFlight'>,
    surroundings: Surroundings,
  ) {
    this.#scheduler = scheduler;
    this.#surroundings = surroundings;
    this.#cache = cache && new AnswerCache(cache, surroundings.now);
    this.#singleFlight = singleFlight;
  }

  get batchable(): boolean {
    return this.#scheduler.batchable;
  }

  lease(shapes: readonly (readonly number[])[], urgency?: Urgency): Lease {
    const lease = this.#scheduler.lease(shapes, urgency);
    return new RememberedLease(lease, (order, done) => this.#submit(lease, order, done));
  }

  counts(): SchedulerCounts {
    const counts = this.#scheduler.counts();
    return { ...counts, cacheHits: this.#hits, cacheMisses: this.#misses, shared: this.#shared };
  }

  close(): Promise<void> {
    return this.#scheduler.close();
  }

  #submit(lease: Lease, order: Order, done: Done): Submission {
    const key = requestKey(lease.inputs, order.outputs);
    const known = this.#cache?.get(key);
    if (known !== undefined) {
      this.#hits += 1;
      lease.release();
      return this.#tellSoon(known, done);
    }
    if (this.#cache !== undefined) this.#misses += 1;
    // Nobody may share the fate of a request that is refused where others would be answered.
    return this.#singleFlight && order.yields !== true
      ? this.#share(key, lease, order, done)
      : this.#ask(key, lease, order, done);
  }

  #ask(key: string, lease: Lease, order: Order, done: Done): Submission {
    return lease.submit(order, (error, outcome) => {
      if (outcome !== undefined) this.#cache?.keep(key, outcome);
      done(error, outcome);
    });
  }

  #share(key: string, lease: Lease, order: Order, done: Done): Submission {
    const known = this.#flights.get(key);
    if (known?.admits(order)) {
      this.#shared += 1;
      return known.join(lease, order, done);
    }
    const flight: Flight = new Flight(lease, order, done, (outcome) => {
      if (this.#flights.get(key) === flight) this.#flights.delete(key);
      if (outcome !== undefined) this.#cache?.keep(key, outcome);
    });
    this.#flights.set(key, flight);
    return flight.submission;
  }

  #tellSoon(known: Outcome, done: Done): Submission {
    let waiting: Done | undefined = done;
    const tell: Done = (error, outcome) => {
      const waits = waiting;
      waiting = undefined;
      waits?.(error, outcome);
    };
    this.#surroundings.soon(() => tell(undefined, known));
    return { cancel: () => tell(new EngineError('Cancelled', 'The caller has gone.'), undefined) };
  }
}

class RememberedLease implements Lease {
  readonly inputs: readonly TensorValue[];
  readonly submit: Lease['submit'];
  readonly #lease: Lease;

  constructor(lease: Lease, submit: Lease['submit']) {
    this.inputs = lease.inputs;
    this.submit = submit;
    this.#lease = lease;
  }

  release(): void {
    this.#lease.release();
  }
}

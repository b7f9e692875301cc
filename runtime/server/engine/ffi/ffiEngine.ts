import type { Signature } from '@slipway/crds/contract';
import type { TensorValue } from '../../tensor.ts';
import { type Engine, EngineError, type RunOptions } from '../engine.ts';
import { plain } from '../modelFailure.ts';
import { createFlight, type Ending, type Flight, NO_PLAN } from './flight.ts';
import { type Library, messageOf } from './library.ts';
import { FetchPlans } from './outputPlan.ts';
import { Tensors } from './tensors.ts';

/** A session and how to use it. */
export interface FfiSession {
  readonly library: Library;
  readonly session: bigint;
  readonly signature: Signature;
  readonly providers: readonly string[];
  /** Config entries of each run. */
  readonly runEntries: Readonly<Record<string, string>>;
  readonly maxRunMs: number;
  /** Time that a run which was told to end may take to do so; a single operator can't be interrupted. */
  readonly graceMs: number;
}

/** What ONNX Runtime says when an output is not of the shape that its signature has for this batch. */
const OTHER_SHAPE = /OrtValue shape verification failed|output OrtValue provided for output .* has shape/;

/**
 * Runs a model through ONNX Runtime's C API, on libuv's pool or on the calling thread. One session serves all runs. A
 * run that lasts too long is told to end between two operators; should it not, its request fails all the same, and
 * nothing more is run until it has ended, for it holds a thread of the pool.
 */
export class FfiEngine implements Engine {
  readonly backend = 'ffi';
  readonly signature: Signature;
  readonly providers: readonly string[];
  readonly #session: FfiSession;
  readonly #tensors: Tensors;
  readonly #plans: FetchPlans;
  readonly #idle: Flight[] = [];
  /** In the order of their start, which is that of their end at the latest. */
  readonly #flying = new Set<Flight>();
  #watch: NodeJS.Timeout | undefined;
  #hung = 0;
  #closed: Promise<void> | undefined;
  #whenIdle: (() => void) | undefined;

  constructor(session: FfiSession) {
    this.#session = session;
    this.signature = session.signature;
    this.providers = session.providers;
    this.#tensors = new Tensors(session.library, session.signature);
    this.#plans = new FetchPlans(session.signature);
  }

  get healthy(): boolean {
    return this.#hung === 0 && this.#closed === undefined;
  }

  run(
    inputs: readonly TensorValue[],
    outputs: readonly string[],
    options?: RunOptions,
  ): Promise<readonly TensorValue[]> {
    return new Promise((resolve, reject) => {
      const signal = options?.signal;
      if (signal?.aborted) throw new EngineError('Cancelled', 'the caller is gone');
      const flight = this.#board(inputs, outputs);
      flight.resolve = resolve;
      flight.reject = reject;
      if (signal) {
        const cancel = () => this.#end(flight, 'Cancelled');
        signal.addEventListener('abort', cancel, { once: true });
        flight.stopListening = () => signal.removeEventListener('abort', cancel);
      }
      this.#launch(flight);
    });
  }

  runHere(inputs: readonly TensorValue[], outputs: readonly string[]): readonly TensorValue[] {
    const flight = this.#board(inputs, outputs);
    const status = this.#session.library.api.Run(...this.#argumentsOf(flight));
    if (status === null) return this.#disembark(flight);
    const message = messageOf(this.#session.library.api, status);
    const isShape = OTHER_SHAPE.test(message) && this.#distrust(flight);
    this.#free(flight);
    if (isShape) return this.runHere(inputs, outputs);
    throw new EngineError('ModelFailed', plain(message));
  }

  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    if (this.#flying.size > 0) await new Promise<void>((resolve) => (this.#whenIdle = resolve));
    clearTimeout(this.#watch);
    const { library, session } = this.#session;
    for (const { runOptions } of this.#idle.splice(0)) library.api.ReleaseRunOptions(runOptions);
    await new Promise<void>((resolve) => library.api.ReleaseSession.async(session, () => resolve()));
    await library.trim();
  }

  /** A flight with its tensors, ready to start. */
  #board(inputs: readonly TensorValue[], outputs: readonly string[]): Flight {
    if (this.#closed) throw new EngineError('Closing', 'the model is being unloaded');
    if (this.#hung > 0) throw new EngineError('EngineLost', 'an earlier run of the model hangs');
    const plan = this.#plans.for(outputs);
    const flight = this.#idle.pop() ?? this.#newFlight();
    flight.plan = plan;
    try {
      this.#tensors.load(flight, inputs);
    } catch (error) {
      this.#free(flight);
      throw error instanceof EngineError ? error : new EngineError('ModelFailed', plain(error));
    }
    return flight;
  }

  #newFlight(): Flight {
    const { library, signature, runEntries } = this.#session;
    const flight = createFlight(library, signature.inputs.length, signature.outputs.length, runEntries);
    flight.landed = (error, status) => this.#land(flight, error, status);
    return flight;
  }

  #argumentsOf({ runOptions, inputNames, inputs, inputCount, plan, outputs }: Flight) {
    return [
      this.#session.session,
      runOptions,
      inputNames.at[0] as bigint,
      inputs.at[0] as bigint,
      inputCount,
      plan.names.pointers.at[0] as bigint,
      plan.outputs.length,
      outputs.at[0] as bigint,
    ] as const;
  }

  #launch(flight: Flight): void {
    flight.startedAt = performance.now();
    try {
      this.#session.library.api.Run.async(...this.#argumentsOf(flight), flight.landed);
    } catch (error) {
      this.#free(flight);
      throw new EngineError('EngineLost', plain(error));
    }
    this.#flying.add(flight);
    this.#watch ??= this.#watchFor(this.#session.maxRunMs);
  }

  /** Called by native code's event, so it must not throw. */
  #land(flight: Flight, error: unknown, status: bigint | null): void {
    this.#flying.delete(flight);
    const { api } = this.#session.library;
    const message = error ? plain(error) : status === null ? undefined : messageOf(api, status);
    const { reject, ending } = flight;
    if (flight.isAbandoned) {
      this.#hung -= 1;
      this.#free(flight);
    } else if (ending) {
      this.#free(flight);
      reject(new EngineError(ending, ending === 'Cancelled' ? 'the caller is gone' : this.#tooLong()));
    } else if (message === undefined) {
      this.#arrive(flight);
    } else if (OTHER_SHAPE.test(message) && this.#distrust(flight)) {
      this.#again(flight);
    } else {
      this.#free(flight);
      reject(new EngineError('ModelFailed', plain(message)));
    }
    if (this.#flying.size === 0) this.#whenIdle?.();
  }

  #arrive(flight: Flight): void {
    const { resolve, reject } = flight;
    try {
      resolve(this.#disembark(flight));
    } catch (error) {
      reject(new EngineError('ModelFailed', plain(error)));
    }
  }

  #disembark(flight: Flight): readonly TensorValue[] {
    try {
      return this.#tensors.unload(flight);
    } finally {
      this.#free(flight);
    }
  }

  /** Whether there was an output whose shape was trusted and is no longer. */
  #distrust(flight: Flight): boolean {
    const wasTrusted = flight.plan.outputs.some(({ isBatched }) => isBatched);
    if (wasTrusted) this.#plans.distrust(flight.plan);
    return wasTrusted;
  }

  /** The same run once more, with outputs that ONNX Runtime allocates. */
  #again(flight: Flight): void {
    const { given, reject } = flight;
    const names = flight.plan.outputs.map(({ name }) => name);
    this.#tensors.clear(flight);
    try {
      flight.plan = this.#plans.for(names);
      this.#tensors.load(flight, given);
      this.#launch(flight);
    } catch (error) {
      this.#free(flight);
      reject(error);
    }
  }

  #free(flight: Flight): void {
    this.#tensors.clear(flight);
    flight.stopListening?.();
    flight.stopListening = undefined;
    if (flight.ending) this.#session.library.api.RunOptionsUnsetTerminate(flight.runOptions);
    flight.ending = undefined;
    flight.isAbandoned = false;
    flight.plan = NO_PLAN;
    this.#idle.push(flight);
  }

  #end(flight: Flight, ending: Ending): void {
    if (flight.ending) return;
    flight.ending = ending;
    const { api } = this.#session.library;
    const status = api.RunOptionsSetTerminate(flight.runOptions);
    if (status !== null) messageOf(api, status);
  }

  #watchFor(ms: number): NodeJS.Timeout {
    return setTimeout(() => this.#look(), ms).unref();
  }

  /** Ends runs that are overdue and gives up those that were told to end and did not. One timer serves all runs. */
  #look(): void {
    this.#watch = undefined;
    const now = performance.now();
    const { maxRunMs, graceMs } = this.#session;
    let next = Number.POSITIVE_INFINITY;
    for (const flight of this.#flying) {
      if (flight.isAbandoned) continue;
      const age = now - flight.startedAt;
      if (age >= maxRunMs) this.#end(flight, 'EngineLost');
      if (age >= maxRunMs + graceMs) this.#abandon(flight);
      else next = Math.min(next, (age >= maxRunMs ? maxRunMs + graceMs : maxRunMs) - age);
    }
    if (next < Number.POSITIVE_INFINITY) this.#watch = this.#watchFor(Math.ceil(next));
  }

  #abandon(flight: Flight): void {
    flight.isAbandoned = true;
    this.#hung += 1;
    flight.reject(new EngineError('EngineLost', this.#tooLong()));
  }

  readonly #tooLong = () => `the run took longer than ${this.#session.maxRunMs} ms`;
}

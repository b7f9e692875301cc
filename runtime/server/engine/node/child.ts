import { type ChildProcess, fork } from 'node:child_process';
import { Failure } from '../../../artifact/failure.ts';
import type { TensorValue } from '../../tensor.ts';
import { EngineError } from '../engine.ts';
import type { ChildProgram } from '../engineOptions.ts';
import { CHILD_MARKER, type ChildModel, type FromChild, type ToChild } from './messages.ts';

type Opened = Extract<FromChild, { kind: 'opened' }>;

interface Waiting {
  readonly resolve: (outputs: readonly TensorValue[]) => void;
  readonly reject: (error: unknown) => void;
}

/** Time that a child may take to end after it has been told to. */
const FAREWELL_MS = 2_000;

/** A process that runs one model. Runs are answered in order; one that takes too long costs the process its life. */
export class Child {
  readonly #running: ChildProcess;
  readonly #maxRunMs: number;
  readonly #log: (sentence: string) => void;
  readonly #waiting: Waiting[] = [];
  #watch: NodeJS.Timeout | undefined;
  readonly #opening: PromiseWithResolvers<Opened> = Promise.withResolvers();
  #whenIdle: (() => void) | undefined;
  #isLate = false;
  /** Resolves when the process has ended, for whatever cause. */
  readonly ended: Promise<void>;
  /** Resolves when the model is loaded. Rejects with a Failure when it can't be, or when the process ends first. */
  readonly opened: Promise<Opened>;

  constructor(program: ChildProgram, model: ChildModel, maxRunMs: number, log: (sentence: string) => void) {
    this.#maxRunMs = maxRunMs;
    this.#log = log;
    this.opened = this.#opening.promise;
    this.#running = fork(program.file, [...(program.arguments ?? []), CHILD_MARKER], { serialization: 'advanced' });
    this.#running.on('message', (message: FromChild) => this.#hear(message));
    this.ended = new Promise((resolve) => {
      const end = () => resolve(this.#end());
      this.#running.once('exit', end);
      this.#running.once('error', end);
    });
    this.#say({ kind: 'open', model });
  }

  get pid(): number | undefined {
    return this.#running.pid;
  }

  /** Runs under way and waiting. */
  get load(): number {
    return this.#waiting.length;
  }

  run(inputs: readonly TensorValue[], outputs: readonly string[]): Promise<readonly TensorValue[]> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ resolve, reject });
      if (this.#waiting.length === 1) this.#startWatch();
      this.#say({ kind: 'run', inputs, outputs });
    });
  }

  /** Lets the runs that are under way end, then the process. */
  async close(): Promise<void> {
    if (this.#waiting.length > 0) await new Promise<void>((resolve) => (this.#whenIdle = resolve));
    this.#say({ kind: 'close' });
    const killer = setTimeout(() => this.#running.kill('SIGKILL'), FAREWELL_MS);
    await this.ended;
    clearTimeout(killer);
  }

  kill(): void {
    this.#running.kill('SIGKILL');
  }

  #say(message: ToChild): void {
    // A child that is gone can't be told anything; its end fails what waits for it.
    if (this.#running.connected) this.#running.send(message, () => undefined);
  }

  #hear(message: FromChild): void {
    if (message.kind === 'log') this.#log(message.sentence);
    else if (message.kind === 'opened') this.#opening.resolve(message);
    else if (message.kind === 'refused') this.#opening.reject(new Failure(message.reason, message.message));
    else this.#settle(message);
  }

  #settle(message: Extract<FromChild, { kind: 'answer' | 'failed' }>): void {
    clearTimeout(this.#watch);
    const first = this.#waiting.shift();
    if (this.#waiting.length > 0) this.#startWatch();
    else this.#whenIdle?.();
    if (message.kind === 'answer') first?.resolve(message.outputs);
    else first?.reject(new EngineError('ModelFailed', message.message));
  }

  #startWatch(): void {
    this.#watch = setTimeout(() => {
      this.#isLate = true;
      this.#running.kill('SIGKILL');
    }, this.#maxRunMs).unref();
  }

  #end(): void {
    clearTimeout(this.#watch);
    this.#opening.reject(new Failure('ModelInvalid', 'The process that loads the model ended before it had done so.'));
    const late = `the run took longer than ${this.#maxRunMs} ms`;
    const [first, ...others] = this.#waiting.splice(0);
    const lost = 'the process that ran the model ended';
    first?.reject(new EngineError('EngineLost', this.#isLate ? late : lost));
    for (const { reject } of others) reject(new EngineError('EngineLost', lost));
    this.#whenIdle?.();
  }
}

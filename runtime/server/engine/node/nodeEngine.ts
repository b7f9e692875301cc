import type { Signature } from '@slipway/crds/contract';
import type { TensorValue } from '../../tensor.ts';
import { type Engine, EngineError, type RunOptions } from '../engine.ts';
import type { Child } from './child.ts';

/** Between the end of a child and the start of the next one, so that a model that kills it at once costs no CPU. */
const BACKOFF_MS = 1_000;

/**
 * Runs a model through the stock package, in a process for each instance: there a run blocks its thread and can't be
 * ended, and ending a thread in the middle of one ends the process. A child that hangs or dies is replaced.
 */
export class NodeEngine implements Engine {
  readonly backend = 'node';
  readonly signature: Signature;
  readonly providers: readonly string[];
  readonly #start: () => Child;
  readonly #log: (sentence: string) => void;
  readonly #ready = new Set<Child>();
  readonly #starting = new Set<Child>();
  readonly #backoffs = new Set<NodeJS.Timeout>();
  readonly #instances: number;
  #closed: Promise<void> | undefined;

  /** `children` have opened the model already. */
  constructor(
    signature: Signature,
    providers: readonly string[],
    children: readonly Child[],
    start: () => Child,
    log: (sentence: string) => void,
  ) {
    this.signature = signature;
    this.providers = providers;
    this.#start = start;
    this.#log = log;
    this.#instances = children.length;
    for (const child of children) this.#adopt(child);
  }

  get healthy(): boolean {
    return this.#ready.size === this.#instances && this.#closed === undefined;
  }

  async run(
    inputs: readonly TensorValue[],
    outputs: readonly string[],
    options?: RunOptions,
  ): Promise<readonly TensorValue[]> {
    if (options?.signal?.aborted) throw new EngineError('Cancelled', 'the caller is gone');
    if (this.#closed) throw new EngineError('Closing', 'the model is being unloaded');
    let chosen: Child | undefined;
    for (const child of this.#ready) if (!chosen || child.load < chosen.load) chosen = child;
    if (!chosen) throw new EngineError('EngineLost', 'the process that runs the model is being replaced');
    return chosen.run(inputs, outputs);
  }

  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    for (const backoff of this.#backoffs) clearTimeout(backoff);
    for (const child of this.#starting) child.kill();
    await Promise.all([...this.#ready].map((child) => child.close()));
  }

  #adopt(child: Child): void {
    this.#ready.add(child);
    void child.ended.then(() => {
      this.#ready.delete(child);
      if (!this.#closed) this.#replaceLater();
    });
  }

  #replaceLater(): void {
    const backoff = setTimeout(() => {
      this.#backoffs.delete(backoff);
      void this.#replace();
    }, BACKOFF_MS);
    this.#backoffs.add(backoff);
  }

  async #replace(): Promise<void> {
    const child = this.#start();
    this.#starting.add(child);
    try {
      await child.opened;
      if (this.#closed) child.kill();
      else this.#adopt(child);
    } catch (error) {
      if (this.#closed) return;
      this.#log(`the process that runs the model could not be replaced: ${(error as Error).message}`);
      child.kill();
      this.#replaceLater();
    } finally {
      this.#starting.delete(child);
    }
  }
}

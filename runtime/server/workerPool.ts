import type { Signature } from '@slipway/crds/contract';
import { type Engine, EngineError, type TensorValue } from './engine.ts';
import { EngineThread, type Job } from './engineThread.ts';
import type { WorkerModel } from './workerMessages.ts';

export interface PoolOptions {
  /** Module that calls work() when it finds itself in a worker thread. */
  readonly entry: URL;
  readonly model: WorkerModel;
  readonly workers: number;
  /** Jobs that may wait; one more is refused. */
  readonly maxQueue: number;
  /** A dead thread is replaced after this long, so that a model that kills its thread does not burn the CPU. */
  readonly replaceAfterMs: number;
  /** Told about each thread that died, and each replacement that could not load. */
  readonly onLoss: (error: unknown) => void;
}

/**
 * Engine over worker threads, each with its own session: run() of the engine's binding blocks its thread, and the
 * thread that reads sockets must never block. First come, first served.
 */
export class WorkerPool implements Engine {
  readonly signature: Signature;
  readonly #options: PoolOptions;
  readonly #threads = new Set<EngineThread>();
  readonly #idle: EngineThread[] = [];
  readonly #queue: Job[] = [];
  #closing = false;

  /** Loads the model in every thread. Throws the first Failure, when no thread is loading any more. */
  static async start(options: PoolOptions): Promise<WorkerPool> {
    const onIdle = (thread: EngineThread) => pool.#next(thread);
    const threads = Array.from(
      { length: options.workers },
      () => new EngineThread(options.entry, options.model, onIdle),
    );
    const pool = new WorkerPool(options, await signatureOf(threads));
    for (const thread of threads) pool.#adopt(thread);
    return pool;
  }

  private constructor(options: PoolOptions, signature: Signature) {
    this.#options = options;
    this.signature = signature;
  }

  get healthy(): boolean {
    return this.#threads.size > 0;
  }

  infer(inputs: readonly TensorValue[], outputs: readonly string[]): Promise<readonly TensorValue[]> {
    const { promise, resolve, reject } = Promise.withResolvers<readonly TensorValue[]>();
    const job: Job = { inputs, outputs, resolve, reject };
    const thread = this.#idle.pop();
    if (thread) thread.run(job);
    else if (this.#queue.length < this.#options.maxQueue) this.#queue.push(job);
    else reject(new EngineError('Overloaded', `${this.#queue.length} requests wait already`));
    return promise;
  }

  async close(): Promise<void> {
    this.#closing = true;
    await Promise.all([...this.#threads].map((thread) => thread.close()));
  }

  #adopt(thread: EngineThread): void {
    this.#threads.add(thread);
    void thread.ended.then((cause) => this.#lose(thread, cause));
    this.#next(thread);
  }

  #next(thread: EngineThread): void {
    const job = this.#queue.shift();
    if (job) thread.run(job);
    else this.#idle.push(thread);
  }

  #lose(thread: EngineThread, cause: Error | undefined): void {
    this.#threads.delete(thread);
    const index = this.#idle.indexOf(thread);
    if (index >= 0) this.#idle.splice(index, 1);
    if (this.#closing) return;
    this.#options.onLoss(cause ?? new Error('an engine thread ended unasked'));
    this.#replaceLater();
  }

  #replaceLater(): void {
    setTimeout(() => void this.#replace(), this.#options.replaceAfterMs).unref();
  }

  async #replace(): Promise<void> {
    if (this.#closing) return;
    const thread = new EngineThread(this.#options.entry, this.#options.model, (idle) => this.#next(idle));
    try {
      await thread.loaded;
      this.#adopt(thread);
    } catch (error) {
      this.#options.onLoss(error);
      this.#replaceLater();
    }
  }
}

/** Waits for every thread, also after a failure: a process that exits while one loads would abort in native code. */
async function signatureOf(threads: readonly EngineThread[]): Promise<Signature> {
  const loaded = await Promise.allSettled(threads.map((thread) => thread.loaded));
  const failed = loaded.find((outcome) => outcome.status === 'rejected');
  const signature = loaded.find((outcome) => outcome.status === 'fulfilled')?.value;
  if (signature && !failed) return signature;
  await Promise.all(threads.map((thread) => thread.close()));
  throw failed?.reason;
}

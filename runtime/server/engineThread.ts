import { Worker } from 'node:worker_threads';
import type { Signature } from '@slipway/crds/contract';
import { Failure } from '../artifact/failure.ts';
import { EngineError, type TensorValue } from './engine.ts';
import { type FromWorker, movable, type ToWorker, type WorkerModel } from './workerMessages.ts';

/** A request on its way through a thread. */
export interface Job {
  readonly inputs: readonly TensorValue[];
  readonly outputs: readonly string[];
  readonly resolve: (outputs: readonly TensorValue[]) => void;
  readonly reject: (error: Error) => void;
}

/**
 * One worker thread with its session; runs one job at a time. It is never terminated while it runs: the native call
 * would abort the whole process.
 */
export class EngineThread {
  /** Resolves with the signature once the model is loaded and its golden requests agree; rejects with Failure. */
  readonly loaded: Promise<Signature>;
  /** Resolves with the cause, if there is one, when the thread has ended and its job has been rejected. */
  readonly ended: Promise<Error | undefined>;
  readonly #worker: Worker;
  readonly #onIdle: (thread: EngineThread) => void;
  #job: Job | undefined;
  #cause: Error | undefined;

  constructor(entry: URL, model: WorkerModel, onIdle: (thread: EngineThread) => void) {
    this.#worker = new Worker(entry, { workerData: model });
    this.#onIdle = onIdle;
    const { promise, resolve, reject } = Promise.withResolvers<Signature>();
    this.loaded = promise;
    this.ended = new Promise((end) => {
      this.#worker.once('exit', () => {
        reject(this.#cause ?? new Error('an engine thread ended before its model was loaded'));
        this.#finish()?.reject(new EngineError('WorkerLost', 'the engine thread of this request died'));
        end(this.#cause);
      });
    });
    this.#worker.on('error', (error: Error) => {
      this.#cause = error;
    });
    this.#worker.on('message', (message: FromWorker) => this.#hear(message, resolve, reject));
  }

  run(job: Job): void {
    this.#job = job;
    const { inputs, outputs } = job;
    this.#send({ kind: 'run', inputs, outputs }, movable(inputs));
  }

  /** Ends the thread after what it runs. */
  async close(): Promise<void> {
    this.#send({ kind: 'close' });
    await this.ended;
  }

  #send(message: ToWorker, moved: ArrayBuffer[] = []): void {
    this.#worker.postMessage(message, moved);
  }

  #finish(): Job | undefined {
    const job = this.#job;
    this.#job = undefined;
    return job;
  }

  #hear(message: FromWorker, loaded: (signature: Signature) => void, refused: (failure: Failure) => void): void {
    if (message.kind === 'loaded') loaded(message.signature);
    else if (message.kind === 'refused') refused(new Failure(message.reason, message.message));
    else {
      const job = this.#finish();
      if (message.kind === 'answer') job?.resolve(message.outputs);
      else job?.reject(new EngineError('ModelFailed', message.message));
      this.#onIdle(this);
    }
  }
}

import { backoffMs } from './backoff.ts';
import type { Clock } from './clock.ts';
import type { Reconciler } from './contracts.ts';
import type { Log, Meter, PassResult } from './observe.ts';
import { type Outcome, TerminalError } from './outcome.ts';
import { type AddOptions, WorkQueue } from './queue.ts';
import { type Key, keyText } from './resource.ts';

export interface RunnerOptions {
  readonly name: string;
  readonly workers?: number;
  /** Longest wait after passes that failed in a row. Default a minute. */
  readonly longestWaitMs?: number;
  readonly clock: Clock;
  readonly random: () => number;
  readonly meter: Meter;
  readonly log: Log;
  /** A pass that takes longer is aborted and counts as failed: one hung call must not hold its object for ever. */
  readonly passMs?: number;
}

const SHORTEST_WAIT_MS = 5;
const LONGEST_WAIT_MS = 60_000;
const WORKERS = 4;
const PASS_MS = 120_000;

/** One controller's queue and its workers. */
export class ControllerRunner {
  readonly #options: RunnerOptions;
  readonly #queue: WorkQueue;
  readonly #failures = new Map<string, number>();
  readonly #abort = new AbortController();

  constructor(options: RunnerOptions) {
    this.#options = options;
    this.#queue = new WorkQueue(options.clock);
  }

  enqueue(key: Key, options: AddOptions = {}): void {
    this.#queue.add(key, options);
    this.#options.meter.queueDepth(this.#options.name, this.#queue.depth);
  }

  /** Works until close(); resolves when the last pass has ended. */
  async run(reconciler: Reconciler): Promise<void> {
    const { workers = WORKERS } = this.#options;
    await Promise.all(Array.from({ length: workers }, () => this.#work(reconciler)));
  }

  /** Hands out no more keys; passes under way go on. */
  close(): void {
    this.#queue.close();
  }

  /** Asks the passes under way to stop. */
  abort(): void {
    this.#abort.abort(new Error('the operator is shutting down'));
  }

  async #work(reconciler: Reconciler): Promise<void> {
    for (let key = await this.#queue.take(); key !== undefined; key = await this.#queue.take()) {
      this.#options.meter.queueDepth(this.#options.name, this.#queue.depth);
      await this.#pass(reconciler, key);
    }
  }

  async #pass(reconciler: Reconciler, key: Key): Promise<void> {
    const { name, meter, passMs = PASS_MS } = this.#options;
    const started = performance.now();
    const signal = AbortSignal.any([this.#abort.signal, AbortSignal.timeout(passMs)]);
    const result = await Promise.try(() => reconciler.reconcile(key, signal)).then(
      (outcome) => this.#succeeded(key, outcome),
      (error: unknown) => this.#failed(key, error),
    );
    this.#queue.done(key);
    meter.pass(name, result, (performance.now() - started) / 1000);
  }

  #succeeded(key: Key, outcome: Outcome): PassResult {
    this.#failures.delete(keyText(key));
    if (outcome.kind === 'again') {
      this.#queue.add(key, { afterMs: Math.max(outcome.afterMs, 1) });
      this.#options.log.debug({ key: keyText(key), ...outcome }, 'will look again');
    }
    return outcome.kind;
  }

  #failed(key: Key, error: unknown): PassResult {
    const text = keyText(key);
    const { random, log, longestWaitMs: maxMs = LONGEST_WAIT_MS } = this.#options;
    if (error instanceof TerminalError) {
      this.#failures.delete(text);
      log.warn({ key: text, reason: error.reason, message: error.message }, 'stalled until the spec changes');
      return 'terminal';
    }
    if (this.#abort.signal.aborted) return 'error';
    const failures = (this.#failures.get(text) ?? 0) + 1;
    this.#failures.set(text, failures);
    const afterMs = backoffMs(failures, { baseMs: SHORTEST_WAIT_MS, maxMs }, random());
    this.#queue.add(key, { afterMs });
    log.warn({ key: text, failures, afterMs: Math.round(afterMs), err: error }, 'a pass failed: trying again');
    return 'error';
  }
}

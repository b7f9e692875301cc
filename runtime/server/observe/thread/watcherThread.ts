import { Worker } from 'node:worker_threads';
import type { ShadowEvidence, ShadowOrder } from '@slipway/crds/contract';
import type { Log } from '../logging/requestLog.ts';
import type { OutboxCounts } from '../outbox.ts';
import { Room } from '../room.ts';
import { continued } from '../shadow/tally.ts';
import type { FromWatcher, Parcel, ToWatcher, WatchedModel, WatcherStart } from './messages.ts';

export interface WatcherThreadDependencies {
  /** The module that the thread starts from. */
  readonly entry: URL;
  readonly log: Log;
  /** Milliseconds, monotonic. */
  readonly now: () => number;
}

/** Samples that may be between the two threads. */
const MOST_SAMPLES = 256;
const MOST_SAMPLE_BYTES = 16 * 1024 * 1024;
/** A thread that dies is not started at once again: what killed it may do so each time. */
const RESTART_MS = 1000;
/** Heap of the thread. Beyond it the thread dies, and not the process with all its requests. */
const HEAP_MB = 256;
const CLOSE_MS = 3000;

/**
 * The thread that compares copies with candidates and writes samples: one for the process, started when there is first
 * something for it. Parcels go over in one message each turn of the event loop.
 */
export class WatcherThread {
  readonly shadowRoom: Room;
  readonly sampleRoom = new Room(MOST_SAMPLES, MOST_SAMPLE_BYTES);
  readonly #start: WatcherStart;
  readonly #deps: WatcherThreadDependencies;
  readonly #models = new Map<number, { readonly model: WatchedModel; readonly room: Room }>();
  readonly #evidence = new Map<number, ShadowEvidence>();
  /** What threads before this one had counted. */
  readonly #before = new Map<number, ShadowEvidence>();
  #worker: Worker | undefined;
  #restartAt = Number.NEGATIVE_INFINITY;
  #pending: Parcel[] = [];
  #samples: OutboxCounts = { sent: 0, dropped: 0, waiting: 0 };
  #keys = 0;
  #closed = false;

  constructor(start: Pick<WatcherStart, 'shadow' | 'samples' | 'hashKey'>, deps: WatcherThreadDependencies) {
    this.shadowRoom = new Room(start.shadow.maxQueue, start.shadow.maxQueueBytes);
    this.#start = { ...start, shadowRoom: this.shadowRoom.memory, sampleRoom: this.sampleRoom.memory };
    this.#deps = deps;
  }

  /** The number by which parcels and orders name this model, and the room of its copies. */
  watch(watched: Omit<WatchedModel, 'room'>): { readonly key: number; readonly room: Room } {
    const key = ++this.#keys;
    const { maxQueue, maxQueueBytes } = this.#start.shadow;
    const room = new Room(maxQueue, maxQueueBytes);
    const model = { ...watched, room: room.memory };
    this.#models.set(key, { model, room });
    this.#worker?.postMessage({ kind: 'model', key, model } satisfies ToWatcher);
    return { key, room };
  }

  /** What was sent of it before still counts. */
  forget(key: number): void {
    this.#flush();
    this.#models.delete(key);
    this.#evidence.delete(key);
    this.#before.delete(key);
    this.#worker?.postMessage({ kind: 'forget', key } satisfies ToWatcher);
  }

  order(key: number, order: ShadowOrder | null, authorization: string | undefined): void {
    if (!order && !this.#worker) return;
    this.#running()?.postMessage({ kind: 'order', key, order, authorization } satisfies ToWatcher);
  }

  /** Room for the parcel must have been taken. */
  send(parcel: Parcel): void {
    if (this.#pending.push(parcel) === 1) setImmediate(() => this.#flush());
  }

  /** As of a tenth of a second ago. */
  evidenceOf(key: number): ShadowEvidence | undefined {
    return this.#evidence.get(key);
  }

  get samples(): OutboxCounts {
    return this.#samples;
  }

  /** Ends after the samples that wait have been written, or three seconds. */
  async close(): Promise<void> {
    this.#flush();
    this.#closed = true;
    const worker = this.#worker;
    if (!worker) return;
    worker.ref();
    const ended = new Promise((resolve) => worker.once('exit', resolve));
    worker.postMessage({ kind: 'close' } satisfies ToWatcher);
    const tooLong = setTimeout(() => void worker.terminate(), CLOSE_MS);
    await ended;
    clearTimeout(tooLong);
  }

  #flush(): void {
    const parcels = this.#pending;
    if (parcels.length === 0) return;
    this.#pending = [];
    const worker = this.#running();
    if (worker) worker.postMessage({ kind: 'parcels', parcels } satisfies ToWatcher, movable(parcels));
    else this.#clearRooms();
  }

  #running(): Worker | undefined {
    if (this.#worker || this.#closed || this.#deps.now() < this.#restartAt) return this.#worker;
    const worker = new Worker(this.#deps.entry, {
      workerData: this.#start,
      resourceLimits: { maxOldGenerationSizeMb: HEAP_MB },
    });
    worker.on('message', (message: FromWatcher) => this.#hear(message));
    worker.on('error', (error) => this.#deps.log.error({ err: error }, 'the watcher thread died'));
    worker.once('exit', () => this.#ended(worker));
    for (const [key, { model }] of this.#models) worker.postMessage({ kind: 'model', key, model } satisfies ToWatcher);
    worker.unref(); // alone it holds up nothing
    this.#worker = worker;
    return worker;
  }

  #hear(message: FromWatcher): void {
    if (message.kind === 'samples') this.#samples = message.counts;
    else if (this.#models.has(message.key)) {
      this.#evidence.set(message.key, continued(this.#before.get(message.key), message.evidence));
    }
  }

  #ended(worker: Worker): void {
    if (this.#worker !== worker) return;
    this.#worker = undefined;
    this.#restartAt = this.#deps.now() + RESTART_MS;
    for (const [key, evidence] of this.#evidence) this.#before.set(key, evidence);
    this.#clearRooms();
  }

  /** What was on its way is gone with the thread. */
  #clearRooms(): void {
    for (const { room } of this.#models.values()) room.clear();
    this.shadowRoom.clear();
    this.sampleRoom.clear();
  }
}

/** Below this, copying a tensor costs less than moving its memory. */
const MOVED_BYTES = 4096;

/** Memory of large tensors that is nobody else's: their own copies, each once. */
function movable(parcels: readonly Parcel[]): ArrayBuffer[] {
  const found = new Set<ArrayBuffer>();
  for (const { inputs, outputs } of parcels) {
    for (const { elements } of [...inputs, ...outputs]) {
      if (Array.isArray(elements) || elements.byteLength < MOVED_BYTES) continue;
      const { buffer, byteLength } = elements;
      if (buffer instanceof ArrayBuffer && buffer.byteLength === byteLength) found.add(buffer);
    }
  }
  return [...found];
}

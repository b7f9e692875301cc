import type { Worker } from 'node:worker_threads';
import { RequestError } from '../../requestError.ts';
import type { TensorValue } from '../../tensor.ts';
import { readRegion } from '../json/region.ts';
import { BodyRooms } from './bodyRooms.ts';
import type { ReadOrder, ReadReport } from './messages.ts';
import type { RegionReader } from './regionReader.ts';

interface Waiting {
  readonly order: ReadOrder;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

interface Thread {
  readonly worker: Worker;
  readonly waiting: Map<number, Waiting>;
}

/**
 * Threads that read large JSON lists: 2.9 MB would block the thread of all sockets for milliseconds. They start when first
 * needed. A thread that dies is replaced, and what it had is read here.
 */
export class ParserThreads implements RegionReader {
  readonly #start: () => Worker;
  readonly #most: number;
  readonly #rooms: BodyRooms;
  readonly #threads = new Set<Thread>();
  #lastId = 0;
  #closed = false;

  /** `start` starts a thread that runs parserMain. `rooms`: where bodies that come from elsewhere are copied to. */
  constructor(start: () => Worker, most: number = 1, rooms: BodyRooms = new BodyRooms()) {
    this.#start = start;
    this.#most = most;
    this.#rooms = rooms;
  }

  reaches({ elements }: TensorValue): boolean {
    return !this.#closed && !Array.isArray(elements) && elements.buffer instanceof SharedArrayBuffer;
  }

  async read(body: Buffer, start: number, stop: number, into: TensorValue): Promise<void> {
    if (body.buffer instanceof SharedArrayBuffer) return this.#order(body, start, stop, into);
    const copy = this.#rooms.take(stop - start);
    copy.set(body.subarray(start, stop));
    try {
      await this.#order(copy, 0, stop - start, into);
    } finally {
      this.#rooms.give(copy);
    }
  }

  /** What is under way is read here; nothing new should come. */
  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all([...this.#threads].map(({ worker }) => worker.terminate()));
  }

  #order(bytes: Uint8Array, start: number, stop: number, into: TensorValue): Promise<void> {
    const thread = this.#leastBusy();
    const order = { id: ++this.#lastId, bytes, start, stop, into };
    return new Promise((resolve, reject) => {
      thread.waiting.set(order.id, { order, resolve, reject });
      thread.worker.postMessage(order);
    });
  }

  #leastBusy(): Thread {
    const [first, ...others] = [...this.#threads];
    const least = others.reduce((a, b) => (b.waiting.size < (a?.waiting.size ?? 0) ? b : a), first);
    return least && (least.waiting.size === 0 || this.#threads.size >= this.#most) ? least : this.#begin();
  }

  #begin(): Thread {
    const thread: Thread = { worker: this.#start(), waiting: new Map() };
    const { worker } = thread;
    this.#threads.add(thread);
    worker.unref();
    worker.on('message', (report: ReadReport) => settle(thread, report));
    worker.on('error', () => this.#lost(thread));
    worker.on('exit', () => this.#lost(thread));
    return thread;
  }

  #lost(thread: Thread): void {
    this.#threads.delete(thread);
    for (const { order, resolve, reject } of thread.waiting.values()) {
      thread.waiting.delete(order.id);
      try {
        const { bytes, start, stop, into } = order;
        readRegion(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength), start, stop, into);
        resolve();
      } catch (error) {
        reject(error as Error);
      }
    }
  }
}

function settle({ waiting }: Thread, { id, refusal, broken }: ReadReport): void {
  const found = waiting.get(id);
  waiting.delete(id);
  if (refusal) found?.reject(new RequestError(refusal.status, refusal.sentence));
  else if (broken !== undefined) found?.reject(new Error(`the parser failed: ${broken}`));
  else found?.resolve();
}

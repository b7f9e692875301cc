/** What became of a batch: `later` is tried again, `refused` never would be taken. */
export type Delivery = 'sent' | 'refused' | { readonly laterMs: number | undefined };

export interface OutboxOptions<T> {
  /** What may wait, the batch under way included; one more is dropped. */
  readonly maxItems: number;
  readonly maxBytes: number;
  /** A batch goes out when it has so many items, or when its first has waited so long. */
  readonly batchItems: number;
  readonly batchBytes: number;
  readonly intervalMs: number;
  /** Carries a batch out. Must not reject; `signal` ends it. */
  readonly deliver: (batch: readonly T[], signal: AbortSignal) => Promise<Delivery>;
  /** For the jitter of waits: 0 to 1. */
  readonly random: () => number;
  readonly firstRetryMs?: number;
}

export interface OutboxCounts {
  readonly sent: number;
  readonly dropped: number;
  readonly waiting: number;
}

interface Item<T> {
  readonly value: T;
  readonly bytes: number;
}

const MOST_TRIES = 6;
const FIRST_RETRY_MS = 500;
const LONGEST_WAIT_MS = 30_000;
/** A last flush may not keep a pod from its end. */
const CLOSE_MS = 2000;

/**
 * Sends things away in batches, one batch at a time, and never makes anybody wait: what there is no room for, and what
 * the other side has refused or not taken after six tries, is dropped and counted.
 */
export class Outbox<T> {
  readonly #options: OutboxOptions<T>;
  readonly #waiting: Item<T>[] = [];
  readonly #ending = new AbortController();
  #bytes = 0;
  #sent = 0;
  #dropped = 0;
  #timer: NodeJS.Timeout | undefined;
  #delivering: Promise<void> | undefined;
  #closed = false;

  constructor(options: OutboxOptions<T>) {
    this.#options = options;
  }

  /** False: there was no room. */
  offer(value: T, bytes: number): boolean {
    const { maxItems, maxBytes } = this.#options;
    if (this.#closed || this.#waiting.length >= maxItems || this.#bytes + bytes > maxBytes) {
      this.#dropped++;
      return false;
    }
    this.#waiting.push({ value, bytes });
    this.#bytes += bytes;
    if (this.#delivering) return true;
    if (this.#isBatch) this.#deliver();
    else this.#timer ??= setTimeout(() => this.#deliver(), this.#options.intervalMs).unref();
    return true;
  }

  get counts(): OutboxCounts {
    return { sent: this.#sent, dropped: this.#dropped, waiting: this.#waiting.length };
  }

  /** Sends what waits, for two seconds at most; the rest is dropped. */
  async close(): Promise<void> {
    this.#closed = true;
    const end = setTimeout(() => this.#ending.abort(), CLOSE_MS);
    while (this.#waiting.length > 0 && !this.#ending.signal.aborted) {
      if (!this.#delivering) this.#deliver();
      await this.#delivering;
    }
    await this.#delivering;
    clearTimeout(end);
    clearTimeout(this.#timer);
    this.#drop(this.#waiting.length);
  }

  get #isBatch(): boolean {
    return this.#waiting.length >= this.#options.batchItems || this.#bytes >= this.#options.batchBytes;
  }

  #deliver(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#delivering = this.#deliverBatch().finally(() => {
      this.#delivering = undefined;
      if (this.#closed || this.#waiting.length === 0) return;
      if (this.#isBatch) this.#deliver();
      else this.#timer ??= setTimeout(() => this.#deliver(), this.#options.intervalMs).unref();
    });
  }

  async #deliverBatch(): Promise<void> {
    const size = this.#batchSize();
    const batch = this.#waiting.slice(0, size).map(({ value }) => value);
    for (let tries = 1; ; tries++) {
      const delivery = await this.#options.deliver(batch, this.#ending.signal);
      if (delivery === 'sent') return this.#forget(size);
      if (delivery === 'refused' || tries === MOST_TRIES || this.#ending.signal.aborted) return this.#drop(size);
      await this.#pause(delivery.laterMs ?? this.#backoffMs(tries));
    }
  }

  #batchSize(): number {
    const { batchItems, batchBytes } = this.#options;
    let size = 0;
    let bytes = 0;
    for (const item of this.#waiting) {
      if (size > 0 && (size === batchItems || bytes + item.bytes > batchBytes)) break;
      size++;
      bytes += item.bytes;
    }
    return size;
  }

  /** Doubles, with half of it left to chance: pods that failed together don't come back together. */
  #backoffMs(tries: number): number {
    const { firstRetryMs = FIRST_RETRY_MS, random } = this.#options;
    return firstRetryMs * 2 ** (tries - 1) * (0.5 + random() / 2);
  }

  #pause(ms: number): Promise<void> {
    const { signal } = this.#ending;
    if (signal.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const done = () => {
        clearTimeout(timer);
        signal.removeEventListener('abort', done);
        resolve();
      };
      const timer = setTimeout(done, Math.min(ms, LONGEST_WAIT_MS)).unref();
      signal.addEventListener('abort', done);
    });
  }

  #forget(size: number): void {
    for (const { bytes } of this.#waiting.splice(0, size)) this.#bytes -= bytes;
    this.#sent += size;
  }

  #drop(size: number): void {
    for (const { bytes } of this.#waiting.splice(0, size)) this.#bytes -= bytes;
    this.#dropped += size;
  }
}

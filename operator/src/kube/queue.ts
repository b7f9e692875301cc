import type { Clock } from './clock.ts';
import { type Key, keyText } from './resource.ts';

export type Priority = 'normal' | 'low';
export interface AddOptions {
  readonly afterMs?: number;
  /** low: what the first list found. News goes first, so that a restart with many objects stays responsive. */
  readonly priority?: Priority;
}
interface Waiting {
  readonly key: Key;
  readonly priority: Priority;
  readonly at: number;
  readonly cancel: () => void;
}

/** One take in so many goes to the first list even while there is news: keys that come back each second never end. */
const LOW_EVERY = 4;

/**
 * Keys that want a pass. A key is in it once, however often it is added; the earliest wish wins. A key that is being
 * worked on waits until it is done, so that passes over one object never overlap.
 */
export class WorkQueue {
  readonly #clock: Clock;
  readonly #ready: Readonly<Record<Priority, Map<string, Key>>> = { normal: new Map(), low: new Map() };
  readonly #waiting = new Map<string, Waiting>();
  readonly #working = new Set<string>();
  readonly #again = new Map<string, { readonly key: Key; readonly priority: Priority }>();
  readonly #takers: ((key: Key | undefined) => void)[] = [];
  #closed = false;
  #takes = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Keys that could be taken now. */
  get depth(): number {
    return this.#ready.normal.size + this.#ready.low.size;
  }

  add(key: Key, { afterMs = 0, priority = 'normal' }: AddOptions = {}): void {
    if (this.#closed) return;
    if (afterMs > 0) this.#later(key, afterMs, priority);
    else this.#now(key, priority);
  }

  /** The next key, as soon as there is one; undefined once the queue is closed. */
  take(): Promise<Key | undefined> {
    if (this.#closed) return Promise.resolve(undefined);
    const key = this.#next();
    if (key !== undefined) return Promise.resolve(key);
    return new Promise((resolve) => this.#takers.push(resolve));
  }

  /** The pass over a taken key is over. */
  done(key: Key): void {
    const text = keyText(key);
    this.#working.delete(text);
    const again = this.#again.get(text);
    this.#again.delete(text);
    if (again !== undefined) this.#now(again.key, again.priority);
  }

  /** Nothing is handed out any more; everyone who waits gets undefined. */
  close(): void {
    this.#closed = true;
    for (const { cancel } of this.#waiting.values()) cancel();
    this.#waiting.clear();
    for (const taker of this.#takers.splice(0)) taker(undefined);
  }

  #later(key: Key, afterMs: number, priority: Priority): void {
    const text = keyText(key);
    const at = this.#clock.now().getTime() + afterMs;
    const earlier = this.#waiting.get(text);
    if (this.#isReady(text) || (earlier !== undefined && earlier.at <= at)) return;
    earlier?.cancel();
    const cancel = this.#clock.after(afterMs, () => this.#now(key, priority));
    this.#waiting.set(text, { key, priority, at, cancel });
  }

  #now(key: Key, priority: Priority): void {
    const text = keyText(key);
    this.#waiting.get(text)?.cancel();
    this.#waiting.delete(text);
    if (this.#closed) return;
    if (this.#working.has(text)) {
      if (priority === 'normal' || !this.#again.has(text)) this.#again.set(text, { key, priority });
      return;
    }
    if (priority === 'normal') this.#ready.low.delete(text);
    if (priority === 'low' && this.#ready.normal.has(text)) return;
    this.#ready[priority].set(text, key);
    if (this.#takers.length > 0) this.#takers.shift()?.(this.#next());
  }

  #isReady(text: string): boolean {
    return this.#ready.normal.has(text) || this.#ready.low.has(text) || this.#again.has(text);
  }

  #next(): Key | undefined {
    const { normal, low } = this.#ready;
    this.#takes += 1;
    for (const ready of this.#takes % LOW_EVERY === 0 ? [low, normal] : [normal, low]) {
      for (const [text, key] of ready) {
        ready.delete(text);
        this.#working.add(text);
        return key;
      }
    }
    return undefined;
  }
}

import type { Clock } from '../src/kube/clock.ts';

interface Timer {
  readonly at: number;
  readonly ring: () => void;
}

/** Time that moves only when a test says so. */
export class SteppedClock implements Clock {
  #nowMs = Date.parse('2026-01-01T00:00:00Z');
  #timers: Timer[] = [];

  now(): Date {
    return new Date(this.#nowMs);
  }

  after(ms: number, then: () => void): () => void {
    const timer = { at: this.#nowMs + ms, ring: then };
    this.#timers.push(timer);
    return () => {
      this.#timers = this.#timers.filter((other) => other !== timer);
    };
  }

  sleep(ms: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      if (signal.aborted) return resolve();
      this.after(ms, resolve);
      signal.addEventListener('abort', () => resolve(), { once: true });
    });
  }

  /** Moves time and rings what falls due, in order, letting promises settle before, between and after. */
  async step(ms: number): Promise<void> {
    const until = this.#nowMs + ms;
    await settle();
    for (;;) {
      const due = this.#timers.filter(({ at }) => at <= until).sort((a, b) => a.at - b.at)[0];
      if (due === undefined) break;
      this.#timers = this.#timers.filter((timer) => timer !== due);
      this.#nowMs = Math.max(this.#nowMs, due.at);
      due.ring();
      await settle();
    }
    this.#nowMs = until;
    await settle();
  }
}

/** Lets every promise that can go on go on. */
export const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Real timers, but every sleep is over at once and written down: for waits that a server dictates. */
export function hastyClock(): Clock & { readonly slept: number[] } {
  const slept: number[] = [];
  return {
    slept,
    now: () => new Date(),
    after: (ms, then) => {
      const timer = setTimeout(then, ms);
      return () => clearTimeout(timer);
    },
    sleep: async (ms) => {
      slept.push(ms);
      await settle();
    },
  };
}

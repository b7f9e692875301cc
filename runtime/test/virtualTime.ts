import type { Surroundings } from '../server/batching/surroundings.ts';

interface Timer {
  readonly at: number;
  readonly callback: () => void;
}

/** Surroundings in which time stands still and no turn ends until a test says so. */
export class VirtualTime implements Surroundings {
  #now = 1000;
  #turn: (() => void)[] = [];
  #timers: Timer[] = [];

  readonly now = (): number => this.#now;
  readonly endOfTurn = (callback: () => void): void => {
    this.#turn.push(callback);
  };
  readonly soon = queueMicrotask;
  readonly timer = (ms: number, callback: () => void): (() => void) => {
    const timer = { at: this.#now + ms, callback };
    this.#timers.push(timer);
    return () => {
      this.#timers = this.#timers.filter((other) => other !== timer);
    };
  };

  /** Ends the turn, and lets every promise that is settled tell so. */
  async turn(): Promise<void> {
    const callbacks = this.#turn;
    this.#turn = [];
    for (const callback of callbacks) callback();
    await quiet();
  }

  /** Lets time pass and rings what is due, in order. */
  async advance(ms: number): Promise<void> {
    const end = this.#now + ms;
    for (;;) {
      const [next] = this.#timers.filter(({ at }) => at <= end).toSorted((a, b) => a.at - b.at);
      if (next === undefined) break;
      this.#now = Math.max(this.#now, next.at);
      this.#timers = this.#timers.filter((other) => other !== next);
      next.callback();
      await quiet();
    }
    this.#now = end;
  }

  /** Time that passes while the thread works. */
  spend(ms: number): void {
    this.#now += ms;
  }

  get timers(): number {
    return this.#timers.length;
  }
}

/** Until the promises that are settled now, and those that follow from them, have been told. */
export async function quiet(): Promise<void> {
  for (let i = 0; i < 8; i += 1) await undefined;
}

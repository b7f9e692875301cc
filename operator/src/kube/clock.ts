/** Time, injected: tests step it, nothing else reads the wall clock. */
export interface Clock {
  now(): Date;
  /** Resolves after `ms`, at once when `signal` aborts. Never rejects. */
  sleep(ms: number, signal: AbortSignal): Promise<void>;
  /** Calls `then` once after `ms`; the returned function calls it off. */
  after(ms: number, then: () => void): () => void;
}

// setTimeout treats a longer delay as 1 ms: a wish for "in 30 days" would then spin.
const LONGEST_TIMER_MS = 2 ** 31 - 1;

const after = (ms: number, then: () => void): (() => void) => {
  const timer = setTimeout(then, Math.min(Math.max(ms, 0), LONGEST_TIMER_MS));
  return () => clearTimeout(timer);
};

export const systemClock: Clock = {
  now: () => new Date(),
  after,
  sleep: (ms, signal) =>
    new Promise((resolve) => {
      if (signal.aborted) return resolve();
      const wake = (): void => {
        cancel();
        signal.removeEventListener('abort', wake);
        resolve();
      };
      const cancel = after(ms, wake);
      signal.addEventListener('abort', wake, { once: true });
    }),
};

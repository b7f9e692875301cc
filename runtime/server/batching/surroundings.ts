/** What the scheduler sees of the world; tests hand it one of their own, so that every decision can be repeated. */
export interface Surroundings {
  /** Monotonic milliseconds. */
  now(): number;
  /** Runs the callback once the events of this turn of the loop have been seen. */
  endOfTurn(callback: () => void): void;
  /** Runs the callback as soon as the caller has returned. */
  soon(callback: () => void): void;
  /** Runs the callback once after `ms`; the answer takes it back. Does not keep the process alive. */
  timer(ms: number, callback: () => void): () => void;
}

export const PROCESS: Surroundings = {
  now: () => performance.now(),
  endOfTurn: (callback) => {
    setImmediate(callback);
  },
  soon: queueMicrotask,
  timer: (ms, callback) => {
    const timer = setTimeout(callback, ms).unref();
    return () => clearTimeout(timer);
  },
};

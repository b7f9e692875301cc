import { setTimeout as delay } from 'node:timers/promises';

export interface UntilOptions {
  readonly timeoutMs: number;
  readonly everyMs?: number; // default 100
  /** Said in the error when the deadline passes. */
  readonly what: string;
  /** A reason to give up early, e.g. that the awaited program has exited. */
  readonly hopeless?: () => string | undefined | Promise<string | undefined>;
}

/** Asks until the answer is neither undefined nor false, and returns it. A throwing probe counts as "not yet". */
export async function until<T>(probe: () => Promise<T | undefined | false>, options: UntilOptions): Promise<T> {
  const deadline = Date.now() + options.timeoutMs;
  let last = '';
  for (;;) {
    try {
      const answer = await probe();
      if (answer !== undefined && answer !== false) return answer;
    } catch (error) {
      last = error instanceof Error ? `: ${error.message}` : '';
    }
    const lost = await options.hopeless?.();
    if (lost !== undefined) throw new Error(`${options.what}: ${lost}`);
    if (Date.now() > deadline) throw new Error(`${options.what}: not within ${options.timeoutMs / 1000} s${last}`);
    await delay(options.everyMs ?? 100);
  }
}

/**
 * Where the process stands. Starting: no model is proven yet. Serving. Draining: SIGTERM came; not ready any more, yet
 * every request that still arrives is served, because proxies hear of it later than the process does.
 */
export type Phase = 'Starting' | 'Serving' | 'Draining';

export class Lifecycle {
  #phase: Phase = 'Starting';

  get phase(): Phase {
    return this.#phase;
  }

  serve(): void {
    if (this.#phase === 'Starting') this.#phase = 'Serving';
  }

  drain(): void {
    this.#phase = 'Draining';
  }
}

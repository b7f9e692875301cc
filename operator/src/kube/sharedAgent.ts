import { Agent } from 'undici';
import type { Clock } from './clock.ts';
import type { Credentials, Endpoint } from './config.ts';
import { closed } from './errors.ts';

export interface SharedAgentOptions {
  readonly endpoint: Endpoint;
  readonly http2: boolean;
  readonly clock: Clock;
  /** Time one attempt of a call may take. */
  readonly attemptMs: number;
}
export interface Line {
  readonly agent: Agent;
  readonly headers: Readonly<Record<string, string>>;
}

// As client-go: a projected token is rotated well before it ends, so a minute is soon enough.
const CREDENTIALS_MS = 60_000;

/**
 * The one Agent that all calls and watches share (client-node opens a TLS connection for each call). It is replaced
 * only when certificates change or the peer fell silent.
 */
export class SharedAgent {
  readonly #options: SharedAgentOptions;
  readonly #retired = new Set<Agent>();
  #agent: Agent | undefined;
  #credentials: Promise<Credentials> | undefined;
  #readAt = 0;
  #tls = '';
  #closed = false;

  constructor(options: SharedAgentOptions) {
    this.#options = options;
  }

  get isClosed(): boolean {
    return this.#closed;
  }

  /**
   * The agent and the headers of a call. `rejected`: the last headers were answered 401. After close() it throws: a pass
   * that outlived the operator would open a connection that nobody closes, and write under a lease that others hold.
   */
  async line(rejected: boolean): Promise<Line> {
    const { headers, tls } = await this.#read(rejected);
    if (this.#closed) throw closed();
    const written = JSON.stringify(tls);
    if (this.#agent !== undefined && written !== this.#tls) this.retire(this.#agent);
    this.#tls = written;
    this.#agent ??= this.#build({ headers, tls });
    return { agent: this.#agent, headers };
  }

  /**
   * Takes a connection out of use that gave no sign of life: HTTP/2 would put every new call on it. Calls in flight
   * may still end well; what is left after an attempt's time never will.
   */
  retire(agent: Agent): void {
    if (this.#retired.has(agent) || this.#agent !== agent) return;
    this.#agent = undefined;
    this.#retired.add(agent);
    const cancel = this.#options.clock.after(this.#options.attemptMs, () => this.#destroy(agent));
    agent.close().then(cancel, cancel);
  }

  async close(): Promise<void> {
    this.#closed = true;
    const open = [...this.#retired, this.#agent];
    this.#agent = undefined;
    await Promise.allSettled(open.map((agent) => agent?.destroy()));
  }

  #destroy(agent: Agent): void {
    this.#retired.delete(agent);
    agent.destroy().catch(() => undefined);
  }

  #read(rejected: boolean): Promise<Credentials> {
    const now = this.#options.clock.now().getTime();
    if (this.#credentials !== undefined && !rejected && now - this.#readAt < CREDENTIALS_MS) return this.#credentials;
    const reading = this.#options.endpoint.credentials(rejected);
    this.#credentials = reading;
    this.#readAt = now;
    reading.catch(() => {
      if (this.#credentials === reading) this.#credentials = undefined;
    });
    return reading;
  }

  #build({ tls }: Credentials): Agent {
    const { http2, attemptMs } = this.#options;
    return new Agent({
      allowH2: http2,
      headersTimeout: attemptMs,
      connect: { ...tls, timeout: Math.min(attemptMs, 10_000), keepAlive: true, keepAliveInitialDelay: 30_000 },
    });
  }
}

import type { Agent } from 'node:http';
import { http, https } from '../nodeHttp.ts';
import type { Delivery } from './outbox.ts';

/** What a server answers that may take the same body later (OTLP/HTTP names these; so do most others mean them). */
const LATER = new Set([429, 502, 503, 504]);
const TIMEOUT_MS = 10_000;

/**
 * Posts bodies to one address, over one connection that is kept. Not `fetch`: loading it blocks the thread for some
 * tens of milliseconds when it is first called.
 */
export class Post {
  readonly #url: URL;
  readonly #contentType: string;
  readonly #agent: Agent;

  constructor(url: URL, contentType: string) {
    this.#url = url;
    this.#contentType = contentType;
    const options = { keepAlive: true, maxSockets: 1 };
    this.#agent = url.protocol === 'https:' ? new https.Agent(options) : new http.Agent(options);
  }

  /** Never rejects: no answer at all is one for later. */
  send(body: string, signal: AbortSignal): Promise<Delivery> {
    const { request } = this.#url.protocol === 'https:' ? https : http;
    return new Promise((resolve) => {
      const options = {
        method: 'POST',
        agent: this.#agent,
        headers: { 'content-type': this.#contentType, 'content-length': Buffer.byteLength(body) },
        signal: AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]),
      };
      const outgoing = request(this.#url, options, (answer) => {
        answer.on('error', () => undefined).resume();
        const status = answer.statusCode ?? 0;
        if (LATER.has(status)) resolve({ laterMs: retryAfterMs(answer.headers['retry-after']) });
        else resolve(status >= 200 && status < 300 ? 'sent' : 'refused');
      });
      outgoing.on('error', () => resolve({ laterMs: undefined }));
      outgoing.end(body);
    });
  }

  close(): void {
    this.#agent.destroy();
  }
}

const retryAfterMs = (seconds: string | undefined): number | undefined =>
  seconds !== undefined && /^\d{1,5}$/.test(seconds) ? Number(seconds) * 1000 : undefined;

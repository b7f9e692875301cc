import type { Agent, Dispatcher } from 'undici';
import { type Clock, systemClock } from './clock.ts';
import type { Endpoint } from './config.ts';
import { ApiError, closed, fromAnswer, unreachable } from './errors.ts';
import { type Meter, silentMeter } from './observe.ts';
import { retryDelayMs } from './retry.ts';
import { SharedAgent } from './sharedAgent.ts';

export interface ApiRequest {
  /** Kubernetes verb, for the metrics. */
  readonly verb: string;
  readonly method: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  readonly path: string;
  readonly query?: Readonly<Record<string, string | undefined>>;
  readonly body?: unknown;
  readonly contentType?: string;
  readonly signal?: AbortSignal | undefined;
}

export interface Transport {
  /** JSON in, JSON out. Throws ApiError, or the signal's reason when aborted. */
  call(request: ApiRequest): Promise<unknown>;
  /** A body that is read while it is being written: a watch. */
  stream(request: ApiRequest): Promise<AsyncIterable<Uint8Array>>;
  close(): Promise<void>;
}

export interface TransportOptions {
  readonly endpoint: Endpoint;
  /** Off: HTTP/1.1 only. */
  readonly http2?: boolean;
  readonly clock?: Clock;
  readonly random?: () => number;
  readonly meter?: Meter;
  /** Without a sign of life for this long, an attempt fails and its connection counts as half-open. */
  readonly attemptMs?: number;
  /** The whole call with its retries. */
  readonly callMs?: number;
}

interface Answer {
  readonly body: Dispatcher.ResponseData['body'];
  readonly agent: Agent;
}

const NO_SIGN_OF_LIFE = new Set(['UND_ERR_HEADERS_TIMEOUT', 'UND_ERR_BODY_TIMEOUT', 'UND_ERR_CONNECT_TIMEOUT']);

/** A token that was rotated a moment ago is refused once; reading it again is the whole remedy. */
async function authenticated<T>(attempt: (rejected: boolean) => Promise<T>): Promise<T> {
  try {
    return await attempt(false);
  } catch (error) {
    if (!(error instanceof ApiError) || error.status !== 401) throw error;
    return attempt(true);
  }
}

class HttpTransport implements Transport {
  readonly #shared: SharedAgent;
  readonly #origin: string;
  readonly #prefix: string;
  readonly #clock: Clock;
  readonly #random: () => number;
  readonly #meter: Meter;
  readonly #attemptMs: number;
  readonly #callMs: number;

  constructor({ endpoint, http2 = true, attemptMs = 15_000, callMs = 30_000, ...options }: TransportOptions) {
    this.#clock = options.clock ?? systemClock;
    this.#random = options.random ?? Math.random;
    this.#meter = options.meter ?? silentMeter;
    this.#shared = new SharedAgent({ endpoint, http2, attemptMs, clock: this.#clock });
    this.#origin = endpoint.server.origin;
    this.#prefix = endpoint.server.pathname.replace(/\/$/, '');
    this.#attemptMs = attemptMs;
    this.#callMs = callMs;
  }

  async call(request: ApiRequest): Promise<unknown> {
    const deadline = AbortSignal.timeout(this.#callMs);
    const signal = request.signal === undefined ? deadline : AbortSignal.any([request.signal, deadline]);
    for (let attempts = 1; ; attempts++) {
      try {
        return await authenticated((rejected) => this.#json(request, signal, rejected));
      } catch (error) {
        request.signal?.throwIfAborted();
        if (deadline.aborted) throw this.#tooLate(request, error);
        await this.#pause(error, request, attempts, signal);
      }
    }
  }

  async stream(request: ApiRequest): Promise<AsyncIterable<Uint8Array>> {
    return (await authenticated((rejected) => this.#send(request, request.signal, 0, rejected))).body;
  }

  close(): Promise<void> {
    return this.#shared.close();
  }

  /** Waits until the call may be sent again, or throws its error when that cannot help. */
  async #pause(error: unknown, request: ApiRequest, attempts: number, signal: AbortSignal): Promise<void> {
    const delay = error instanceof ApiError ? retryDelayMs(error, request.method, attempts, this.#random()) : undefined;
    if (delay === undefined || delay > this.#callMs) throw error;
    await this.#clock.sleep(delay, signal);
  }

  #tooLate({ verb, path }: ApiRequest, cause: unknown): ApiError {
    return unreachable(new Error(`${verb} ${path} took longer than ${this.#callMs} ms`, { cause }));
  }

  async #json(request: ApiRequest, signal: AbortSignal, rejected: boolean): Promise<unknown> {
    const { body, agent } = await this.#send(request, signal, this.#attemptMs, rejected);
    return body.json().catch((cause: unknown) => this.#broken(cause, agent, signal));
  }

  /** Sends once. Throws ApiError for any answer but 2xx. */
  async #send(
    request: ApiRequest,
    signal: AbortSignal | undefined,
    bodyTimeout: number,
    rejected: boolean,
  ): Promise<Answer> {
    const { agent, headers } = await this.#shared.line(rejected);
    const started = performance.now();
    const note = (code: number): void => this.#meter.apiCall(request.verb, code, (performance.now() - started) / 1000);
    const answer = await agent
      .request({
        origin: this.#origin,
        path: this.#prefix + request.path + queryText(request.query),
        method: request.method,
        headers: { accept: 'application/json', ...contentHeaders(request), ...headers },
        body: request.body === undefined ? null : JSON.stringify(request.body),
        bodyTimeout,
        ...(signal === undefined ? {} : { signal }),
      })
      .catch((cause: unknown) => {
        note(0);
        return this.#broken(cause, agent, signal);
      });
    note(answer.statusCode);
    if (answer.statusCode < 300) return { body: answer.body, agent };
    const text = await answer.body.text().catch((cause: unknown) => this.#broken(cause, agent, signal));
    throw fromAnswer(answer.statusCode, text, secondsOf(answer.headers['retry-after']));
  }

  #broken(cause: unknown, agent: Agent, signal: AbortSignal | undefined): never {
    if (signal?.aborted) throw cause;
    if (this.#shared.isClosed) throw closed(cause);
    if (NO_SIGN_OF_LIFE.has((cause as { code?: string }).code ?? '')) this.#shared.retire(agent);
    throw unreachable(cause);
  }
}

export const createTransport = (options: TransportOptions): Transport => new HttpTransport(options);

const contentHeaders = ({ body, contentType = 'application/json' }: ApiRequest): Record<string, string> =>
  body === undefined ? {} : { 'content-type': contentType };

function queryText(query: ApiRequest['query'] = {}): string {
  const pairs = Object.entries(query).filter((pair): pair is [string, string] => pair[1] !== undefined);
  return pairs.length === 0 ? '' : `?${new URLSearchParams(pairs)}`;
}

function secondsOf(header: string | string[] | undefined): number | undefined {
  const seconds = Number(header);
  return header === undefined || !Number.isFinite(seconds) ? undefined : seconds;
}

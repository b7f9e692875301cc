import type { Agent, IncomingMessage } from 'node:http';
import { REQUEST_HEADERS } from '@slipway/crds/contract';
import { http, https } from '../../nodeHttp.ts';
import type { TensorValue } from '../../tensor.ts';
import { inferRequest, readInferAnswer, type WireMessage } from './message.ts';

const JSON_LENGTH = 'inference-header-content-length';

/** What a candidate is asked: a live request again. */
export interface Errand {
  readonly id: string | undefined;
  readonly traceparent: string | undefined;
  readonly inputs: readonly TensorValue[];
  readonly outputs: readonly string[];
  /** An answer that is longer is cut off: what can't be compared need not be read. */
  readonly maxAnswerBytes: number;
}

export interface CourierOptions {
  /** http://host:port, or https:// where Node trusts the certificate. */
  readonly target: string;
  readonly model: string;
  readonly order: string;
  readonly authorization: string | undefined;
  readonly connections: number;
  readonly timeoutMs: number;
}

/** The candidate could not be reached, or had not answered in time. */
export class NoAnswer extends Error {
  /** Nobody is there to be asked. */
  readonly unreachable: boolean;

  constructor(cause: unknown) {
    super('no answer', { cause });
    this.unreachable = isUnreachable(cause);
  }
}

/** Brings copies to one candidate, over connections of its own. */
export class Courier {
  readonly #options: CourierOptions;
  readonly #agent: Agent;
  readonly #url: URL;
  readonly #protocol: typeof http | typeof https;
  #closed = false;

  constructor(options: CourierOptions) {
    this.#options = options;
    this.#url = new URL(`/v2/models/${encodeURIComponent(options.model)}/infer`, options.target);
    this.#protocol = this.#url.protocol === 'https:' ? https : http;
    this.#agent = new this.#protocol.Agent({ keepAlive: true, maxSockets: options.connections });
  }

  /** The candidate's outputs. Rejects with an Error that says why there is none; never later than the timeout. */
  async bring(errand: Errand): Promise<readonly TensorValue[]> {
    const message = inferRequest(errand.id, errand.inputs, errand.outputs);
    const late = new AbortController();
    // This thread has time only when requests leave it some. An answer that came meanwhile is read before the candidate is
    // blamed: timers come first in a turn of the event loop, what has arrived second, immediates last.
    const timer = setTimeout(() => setImmediate(() => late.abort()), this.#options.timeoutMs);
    try {
      return await this.#askTwice(message, errand, late.signal);
    } catch (error) {
      throw late.signal.aborted || isUnreachable(error) ? new NoAnswer(error) : error;
    } finally {
      clearTimeout(timer);
    }
  }

  async #askTwice(message: WireMessage, errand: Errand, late: AbortSignal): Promise<readonly TensorValue[]> {
    try {
      return await this.#ask(message, errand, late);
    } catch (error) {
      if (error !== CLOSED_MEANWHILE || this.#closed) throw error;
      return this.#ask(message, errand, late);
    }
  }

  #ask(message: WireMessage, errand: Errand, signal: AbortSignal): Promise<readonly TensorValue[]> {
    return new Promise((resolve, reject) => {
      const headers = this.#headers(errand, message);
      const outgoing = this.#protocol.request(this.#url, { method: 'POST', agent: this.#agent, headers, signal });
      let answered = false;
      outgoing.on('error', (error) =>
        reject(outgoing.reusedSocket && !answered && isReset(error) ? CLOSED_MEANWHILE : error),
      );
      outgoing.on('response', (answer) => {
        answered = true;
        read(answer, errand.maxAnswerBytes).then(resolve, (error) => {
          outgoing.destroy();
          reject(error);
        });
      });
      for (const part of message.parts) outgoing.write(part);
      outgoing.end();
    });
  }

  /** Ends every connection: what is under way is rejected. */
  close(): void {
    this.#closed = true;
    this.#agent.destroy();
  }

  #headers(errand: Errand, message: WireMessage): Record<string, string | number> {
    const { order, authorization } = this.#options;
    return {
      'content-type': 'application/octet-stream',
      'content-length': message.length,
      [JSON_LENGTH]: message.jsonLength,
      [REQUEST_HEADERS.shadow]: order,
      ...(errand.traceparent !== undefined && { [REQUEST_HEADERS.traceparent]: errand.traceparent }),
      ...(authorization !== undefined && { [REQUEST_HEADERS.apiKey]: authorization }),
    };
  }
}

/** A kept connection that the candidate closed as it was used again: no answer of the candidate, so asked once more. */
const CLOSED_MEANWHILE = new Error('the connection was closed meanwhile');
const isReset = (error: NodeJS.ErrnoException): boolean => error.code === 'ECONNRESET' || error.code === 'EPIPE';

const UNREACHABLE = new Set(['ECONNREFUSED', 'EHOSTUNREACH', 'ENETUNREACH', 'ENOTFOUND', 'EAI_AGAIN', 'ETIMEDOUT']);
const isUnreachable = (error: unknown): boolean => UNREACHABLE.has(Object(error).code);

async function read(answer: IncomingMessage, maxBytes: number): Promise<readonly TensorValue[]> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of answer) {
    length += (chunk as Buffer).length;
    if (length > maxBytes) throw new Error('the answer is too long');
    chunks.push(chunk as Buffer);
  }
  if (answer.statusCode !== 200) throw new Error(`status ${answer.statusCode}`);
  return readInferAnswer(Number(answer.headers[JSON_LENGTH]), Buffer.concat(chunks, length));
}

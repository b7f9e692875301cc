import type { Agent } from 'node:http';
import { type PeersOrder, REQUEST_HEADERS } from '@slipway/crds/contract';
import * as z from 'zod';
import { http } from '../nodeHttp.ts';

/** What the peers know of labels that they were sent, added up. */
export interface KnownLabels {
  readonly right: number;
  readonly wrong: number;
}

const answerSchema = z.object({ right: z.int().min(0), wrong: z.int().min(0) });

export interface PeersOptions {
  /** REST path that takes labels. */
  readonly path: string;
  /** Milliseconds of a clock that never jumps. */
  readonly now: () => number;
  /** Headers by which a pod of the service is let in; the caller's key goes to no address that came with an order. */
  readonly pass: () => Readonly<Record<string, string>>;
}

const AT_ONCE = 8;
/** Of one peer, and of all together: whoever sends labels waits for this. */
const PATIENCE_MS = 2000;
const LONGEST_MS = 5000;
const IDLE_MS = 30_000;
const MOST_BYTES = 4096;
/** In place of the id of an order: a label that was passed on is never passed on again. */
export const FEEDBACK = 'feedback';

/** The other pods of the service, asked about labels whose requests they may remember. */
export class Peers {
  readonly #options: PeersOptions;
  readonly #agent: Agent = new http.Agent({ keepAlive: true, maxSockets: 4, timeout: IDLE_MS });
  #urls: readonly URL[] = [];
  #expiresAt = 0;

  constructor(options: PeersOptions) {
    this.#options = options;
  }

  follow(order: PeersOrder | null): void {
    this.#urls = (order?.urls ?? []).map((url) => new URL(this.#options.path, url));
    this.#expiresAt = this.#options.now() + (order?.expiresInSeconds ?? 0) * 1000;
  }

  /** Whether there is anybody to ask. */
  get known(): boolean {
    return this.#urls.length > 0 && this.#options.now() < this.#expiresAt;
  }

  /** Asks every peer. One that does not answer in time knows nothing; never rejects. */
  async ask(labels: string): Promise<KnownLabels> {
    const waiting = [...this.#urls];
    const over = this.#options.now() + LONGEST_MS;
    const sum = { right: 0, wrong: 0 };
    const work = async () => {
      for (let url = waiting.pop(); url !== undefined && this.#options.now() < over; url = waiting.pop()) {
        const { right, wrong } = await this.#askOne(url, labels);
        sum.right += right;
        sum.wrong += wrong;
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, work));
    return sum;
  }

  close(): void {
    this.#agent.destroy();
  }

  #askOne(url: URL, labels: string): Promise<KnownLabels> {
    return new Promise((resolve) => {
      const nothing = () => resolve({ right: 0, wrong: 0 });
      const headers = {
        ...this.#options.pass(),
        'content-type': 'application/json',
        'content-length': Buffer.byteLength(labels),
        [REQUEST_HEADERS.forwarded]: FEEDBACK,
      };
      const signal = AbortSignal.timeout(PATIENCE_MS);
      const outgoing = http.request(url, { method: 'POST', agent: this.#agent, headers, signal });
      outgoing.on('error', nothing);
      outgoing.on('response', (answer) => {
        let text = '';
        answer.setEncoding('utf8').on('error', nothing);
        answer.on('data', (chunk: string) => {
          text += chunk;
          if (text.length > MOST_BYTES) outgoing.destroy();
        });
        answer.on('close', nothing);
        answer.on('end', () => (answer.statusCode === 200 ? resolve(known(text)) : nothing()));
      });
      outgoing.end(labels);
    });
  }
}

/** The address may be another pod's by now, which says anything. */
function known(text: string): KnownLabels {
  try {
    return answerSchema.parse(JSON.parse(text));
  } catch {
    return { right: 0, wrong: 0 };
  }
}

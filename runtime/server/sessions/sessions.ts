import type { Agent, IncomingMessage } from 'node:http';
import { PORTS, type SessionOrder } from '@slipway/crds/contract';
import { http } from '../nodeHttp.ts';
import { isForTheOther } from './arm.ts';
import { headersOnward } from './headers.ts';
import { Passage, type PassageTaker } from './passage.ts';
import { type RpcAnswerTaker, type RpcPassage, RpcPassages, type RpcQuestion } from './rpcPassage.ts';

/** How requests of the other arm's users fared. failed: the other could not be reached, so they were answered here. */
export interface ForwardCounts {
  readonly forwarded: number;
  readonly failed: number;
}

interface Taker<Answer> {
  answered(answer: Answer): void;
  failed(slow: boolean): void;
}

/** Connections to the other arm at most: what there is no connection for in time is answered here. */
const CONNECTIONS = 256;
const IDLE_MS = 30_000;
/** While connecting only costs time, most users are spared the wait. */
const REST_MS = 1000;

/**
 * Keeps each user with one version while a rollout goes on: a request of a user of the other version is passed on to
 * it. docs/decisions/users-are-kept-by-passing-on.md says why the gateway is not asked to.
 */
export class Sessions {
  readonly #now: () => number;
  readonly #agent: Agent = new http.Agent({
    keepAlive: true,
    maxSockets: CONNECTIONS,
    timeout: IDLE_MS,
    scheduling: 'fifo', // a Service behind the address spreads connections, not requests
  });
  readonly #rpc: RpcPassages;
  #order: SessionOrder | undefined;
  #url: URL | undefined;
  #expiresAt = 0;
  #restUntil = 0;
  #forwarded = 0;
  #failed = 0;

  /** `now`: milliseconds of a clock that never jumps. `grpcPort`: of every Service of ours. */
  constructor(now: () => number, grpcPort: number = PORTS.grpc) {
    this.#now = now;
    this.#rpc = new RpcPassages(now, grpcPort);
  }

  /** Follows an order until it expires; null ends the one before. */
  follow(order: SessionOrder | null): void {
    if (order?.other !== this.#order?.other) this.#restUntil = 0;
    this.#order = order ?? undefined;
    if (!order) return;
    this.#url = new URL(order.other);
    this.#expiresAt = this.#now() + order.expiresInSeconds * 1000;
  }

  /** The order by which a request is to be passed on; undefined: it is answered here. */
  orderFor(headers: IncomingMessage['headers']): SessionOrder | undefined {
    const order = this.#order;
    if (order === undefined || !isForTheOther(order, headers)) return undefined;
    if (this.#now() < this.#expiresAt) return order;
    this.#order = undefined;
    return undefined;
  }

  /** Passes a request on, `waitedMs` after it came. undefined: the way is known to be closed. */
  passOn(
    { id }: SessionOrder,
    request: IncomingMessage,
    body: Buffer,
    waitedMs: number,
    taker: PassageTaker,
  ): Passage | undefined {
    if (this.#url === undefined || this.#now() < this.#restUntil) {
      this.#failed++;
      return undefined;
    }
    const headers = headersOnward(request, id, body.length, waitedMs);
    const question = { url: this.#url, path: pathOf(request.url as string), headers, body };
    return new Passage(this.#agent, question, this.#counted(taker));
  }

  /** Passes a call of gRPC on. undefined: the way is known to be closed. */
  passOnCall({ id }: SessionOrder, question: RpcQuestion, taker: RpcAnswerTaker): RpcPassage | undefined {
    if (this.#url === undefined || this.#now() < this.#restUntil) {
      this.#failed++;
      return undefined;
    }
    return this.#rpc.ask(this.#url, id, question, this.#counted(taker));
  }

  #counted<Answer>(taker: Taker<Answer>): Taker<Answer> {
    return {
      answered: (answer) => {
        this.#forwarded++;
        taker.answered(answer);
      },
      failed: (slow) => {
        this.#failed++;
        if (slow) this.#restUntil = this.#now() + REST_MS;
        taker.failed(slow);
      },
    };
  }

  counts(): ForwardCounts {
    return { forwarded: this.#forwarded, failed: this.#failed };
  }

  /** Ends every connection to the other arm. */
  close(): void {
    this.#agent.destroy();
    this.#rpc.close();
  }
}

/** Proxies may send the absolute form (RFC 9112 §3.2.2). */
const pathOf = (target: string): string => (target.startsWith('/') ? target : target.replace(/^[^:]*:\/\/[^/]*/, ''));

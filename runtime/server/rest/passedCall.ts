import { pipeline } from 'node:stream';
import type { SessionOrder } from '@slipway/crds/contract';
import type { ModelIdentity, ServedModel } from '../models/servedModel.ts';
import { RequestError } from '../requestError.ts';
import type { PassedAnswer } from '../sessions/passage.ts';
import type { Sessions } from '../sessions/sessions.ts';
import type { CallContext } from './call.ts';
import { ModelCall } from './modelCall.ts';
import type { NodeExchange } from './nodeExchange.ts';
import type { Route } from './routes.ts';

/** The other arm has the same bound: its own answer that it took too long must come first, for there it is counted. */
const GRACE_MS = 2500;

/**
 * A question of a user who belongs to the other version. It is asked and counted there; only where the way there fails
 * is it an ordinary question to the model of this process.
 */
export class PassedCall extends ModelCall {
  readonly #sessions: Sessions;
  readonly #order: SessionOrder;
  readonly #asked: NodeExchange;
  #tried = false;
  /** While the other arm has the question. */
  #abort: (() => void) | undefined;

  constructor(
    context: CallContext,
    exchange: NodeExchange,
    route: Route,
    model: ServedModel,
    way: { readonly sessions: Sessions; readonly order: SessionOrder },
  ) {
    super(context, exchange, route, model);
    this.#asked = exchange;
    this.#sessions = way.sessions;
    this.#order = way.order;
  }

  protected override answerTo(body: Buffer): void {
    if (this.#tried) return void super.answerTo(body);
    this.#tried = true;
    const waitedMs = this.context.elapsed() - (this.receivedAt as number);
    const passage = this.#sessions.passOn(this.#order, this.#asked.request, body, waitedMs, {
      answered: (answer) => this.#bring(answer),
      failed: () => {
        this.#abort = undefined;
        super.answerTo(body);
      },
    });
    if (passage) this.#abort = () => passage.abort();
    else super.answerTo(body);
  }

  #bring({ status, headers, body }: PassedAnswer): void {
    this.finish();
    const { response } = this.#asked;
    response.writeHead(status, (this.isLast ? [...headers, 'connection', 'close'] : headers) as string[]);
    if (Buffer.isBuffer(body)) response.end(body);
    else pipeline(body, response, () => undefined); // what breaks off ends the connection of the caller too
  }

  /** Undefined while the other version has it: no fault of then is to be laid at this one's door. */
  protected override get identity(): ModelIdentity | undefined {
    return this.#abort ? undefined : super.identity;
  }

  protected override get isOverdue(): boolean {
    if (!this.#abort) return super.isOverdue;
    const { limits, elapsed } = this.context;
    return elapsed() - (this.receivedAt as number) >= limits.requestTimeoutMs + GRACE_MS;
  }

  protected override overdue(): RequestError {
    return this.#abort
      ? new RequestError(504, 'The version that this user belongs to did not answer.')
      : super.overdue();
  }

  protected override ended(status: number, sentence: string): void {
    if (this.#abort) this.#abort();
    else super.ended(status, sentence);
  }
}

import type { ModelIdentity } from '../models/servedModel.ts';
import { requestErrorOf } from '../protocol/failure.ts';
import { Call, type CallContext } from './call.ts';
import type { Exchange } from './exchange.ts';
import type { Answer } from './wire.ts';

/** What a path of the server makes of a body. Throws (rejects) RequestError. */
export type AnswerBody = (body: Buffer) => Answer | Promise<Answer>;

/** A request with a body that asks no model: the repository, feedback. */
export class ServerCall extends Call {
  readonly #answerBody: AnswerBody;

  constructor(context: CallContext, exchange: Exchange, answerBody: AnswerBody) {
    super(context, exchange);
    this.#answerBody = answerBody;
    exchange.socket.setTimeout(0); // loading may be silent for longer than any answer of a model
  }

  protected get identity(): ModelIdentity | undefined {
    return this.context.identity;
  }

  protected answerTo(body: Buffer): void {
    void this.#answer(body);
  }

  async #answer(body: Buffer): Promise<void> {
    try {
      const answer = await this.#answerBody(body);
      if (this.finish()) this.send(answer);
    } catch (error) {
      this.fail(requestErrorOf(error), error);
    }
  }

  /** Loading a model takes as long as it takes: its caller waits for it, and no bound of requests is meant for it. */
  override failIfOverdue(): void {}

  protected ended(): void {}
}

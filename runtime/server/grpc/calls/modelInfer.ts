import { RequestError } from '../../requestError.ts';
import { countRefusal } from '../../rest/refusal.ts';
import { answersOf } from '../findModel.ts';
import { Inference, type InferenceUser } from '../inference.ts';
import type { InferResponse } from '../messages/inferResponse.ts';
import { Rpc } from '../rpc.ts';
import { CODE, fault, type RpcFault } from '../status.ts';

/** ModelInfer: one question, one answer. */
export class ModelInferCall extends Rpc implements InferenceUser {
  #inference: Inference | undefined;

  protected override get identity() {
    return this.#inference?.model?.identity ?? this.context.identity;
  }

  protected message(bytes: Buffer, start: number, end: number): void {
    if (this.#inference) throw TWO_MESSAGES;
    this.#inference = new Inference(this.context, this.head, this);
    this.#inference.start(bytes, start, end);
  }

  protected inputEnded(): void {
    if (!this.#inference) throw NO_MESSAGE;
  }

  protected override get owesMessage(): boolean {
    return this.#inference === undefined;
  }

  answered(response: InferResponse, { model }: Inference): void {
    this.finishWith(response, answersOf(model as NonNullable<typeof model>).head);
  }

  failed(thrown: unknown): void {
    this.fail(thrown);
  }

  /** Whoever waits in vain is told so, even where the model hangs and nobody reads the caller's own clock. */
  override tick(now: number): void {
    super.tick(now);
    const { requestTimeoutMs } = this.context.limits;
    const longestMs = Math.min(requestTimeoutMs, this.head.timeoutMs);
    if (this.over || !this.#inference || now - this.#inference.receivedAt < longestMs) return;
    this.failWith(fault(CODE.deadlineExceeded, 504, `The answer took longer than ${longestMs} ms.`));
  }

  protected ended(reason: RpcFault): void {
    if (this.#inference) this.#inference.ended(reason);
    else countRefusal(this.context.refusals, reason.error);
  }
}

export const TWO_MESSAGES = new RequestError(501, 'This call takes one message; send one call for each question.');
export const NO_MESSAGE = new RequestError(501, 'This call takes one message, and ended without it.');

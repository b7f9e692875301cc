import { RequestError } from '../../requestError.ts';
import { countRefusal } from '../../rest/refusal.ts';
import type { RpcAnswer, RpcPassage } from '../../sessions/rpcPassage.ts';
import { answersOf } from '../findModel.ts';
import { Inference, type InferenceUser } from '../inference.ts';
import type { InferResponse } from '../messages/inferResponse.ts';
import { Rpc, writable } from '../rpc.ts';
import { CODE, fault, type RpcFault } from '../status.ts';
import { headBlock, passOn } from './passedInfer.ts';

/** The other arm has the same bound: its own answer that it took too long must come first, for there it is counted. */
const GRACE_MS = 2500;

/** ModelInfer: one question, one answer. That of a user of the other version is asked and counted there. */
export class ModelInferCall extends Rpc implements InferenceUser {
  #inference: Inference | undefined;
  /** While the other arm has the question. */
  #passage: RpcPassage | undefined;
  #receivedAt: number | undefined;

  /** Undefined while the other version has it: no fault of then is to be laid at this one's door. */
  protected override get identity() {
    if (this.#passage) return undefined;
    return this.#inference?.model?.identity ?? this.context.identity;
  }

  protected message(bytes: Buffer, start: number, end: number): void {
    if (this.#receivedAt !== undefined) throw TWO_MESSAGES;
    this.#receivedAt = this.context.elapsed();
    this.#passage = passOn(this.context, this.head, bytes, [start, end], {
      answered: (answer) => this.#bring(answer),
      failed: (message) => this.#answerHere(message),
    });
    if (!this.#passage) this.#ask(bytes, start, end);
  }

  #ask(bytes: Buffer, start: number, end: number): void {
    this.#inference = new Inference(this.context, this.head, this);
    this.#inference.start(bytes, start, end);
  }

  #answerHere(message: Buffer): void {
    this.#passage = undefined;
    if (this.over) return;
    try {
      this.#ask(message, 0, message.length);
    } catch (error) {
      this.fail(error);
    }
  }

  #bring({ head, message, trailers }: RpcAnswer): void {
    const isGood = trailers.some(([name, value]) => name === 'grpc-status' && value === '0');
    if (isGood && message) this.finishWith(writable(message), headBlock(head));
    else this.finishAs(headBlock(head === trailers ? head : [...head, ...trailers]));
  }

  protected inputEnded(): void {
    if (this.#receivedAt === undefined) throw NO_MESSAGE;
  }

  protected override get owesMessage(): boolean {
    return this.#receivedAt === undefined;
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
    if (this.#passage) return void this.#tickPassed(now, requestTimeoutMs + GRACE_MS);
    const longestMs = Math.min(requestTimeoutMs, this.head.timeoutMs);
    if (this.over || !this.#inference || now - this.#inference.receivedAt < longestMs) return;
    this.failWith(fault(CODE.deadlineExceeded, 504, `The answer took longer than ${longestMs} ms.`));
  }

  #tickPassed(now: number, longestMs: number): void {
    if (this.over || now - (this.#receivedAt as number) < longestMs) return;
    this.failWith(fault(CODE.deadlineExceeded, 504, 'The version that this user belongs to did not answer.'));
  }

  protected ended(reason: RpcFault): void {
    if (this.#passage) this.#passage.abort();
    else if (this.#inference) this.#inference.ended(reason);
    else countRefusal(this.context.refusals, reason.error);
  }
}

export const TWO_MESSAGES = new RequestError(501, 'This call takes one message; send one call for each question.');
export const NO_MESSAGE = new RequestError(501, 'This call takes one message, and ended without it.');
